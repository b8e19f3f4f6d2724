import { BlockWriter, StopSequences, ThinkTags } from 'colloquy/engines'
import { apiError, type MessageCreateParams, type MessageStreamEvent, type StopReason } from 'colloquy/protocol'
import { jsonGrammar } from './grammar/json-schema.ts'
import { oneOf } from './grammar/rules.ts'
import type { Sampler } from './sampler.ts'
import {
  type BegunCall,
  callableTools,
  CallFinder,
  type CallForm,
  callStart,
  type CustomTool,
  jsonForm,
  openingOf,
} from './tool-text.ts'

/** More calls in one reply are taken for a model that repeats itself. */
const maxCalls = 8

/** Grammars by the schema that they hold. */
export type Grammars = ReadonlyMap<object, string>

/**
 * The grammars that a reply needs for certain: those of its output, or of the tools one of which it has to call. Throws before
 * the reply begins if a grammar cannot hold a schema. A call that the model is free to make gets its grammar later.
 */
export function grammarsOf(params: MessageCreateParams): Grammars {
  const { tool_choice: choice, output_config: output } = params
  if (choice?.type === 'any' || choice?.type === 'tool') {
    const tools = callableTools(params)
    if (tools.length === 0) throw apiError('invalid_request_error', 'tool_choice: found no tool that can be called')
    return new Map(tools.map((tool) => [tool.input_schema, inputGrammar(tool)]))
  }
  if (!output?.format) return new Map()
  const { schema } = output.format
  return new Map([[schema, jsonGrammar(schema, 'output_config.format.schema')]])
}

function inputGrammar({ name, input_schema: schema }: CustomTool): string {
  return jsonGrammar(schema, `tools.${name}.input_schema`)
}

/** Turns what a model says into the events of a reply's blocks. Afterwards it has the stop reason. */
export class ReplyWriter {
  readonly #params: MessageCreateParams
  readonly #grammars: Grammars
  readonly #sampler: Sampler
  readonly #tools: readonly CustomTool[]
  readonly #blocks = new BlockWriter()
  readonly #tags: ThinkTags
  readonly #stops: StopSequences
  #hasCalls = false
  #isCut = false

  /** @param opensThinking whether the reply begins with thinking, which no tag opens. */
  constructor(params: MessageCreateParams, grammars: Grammars, sampler: Sampler, opensThinking: boolean) {
    this.#params = params
    this.#tags = new ThinkTags(opensThinking)
    this.#grammars = grammars
    this.#sampler = sampler
    this.#tools = callableTools(params)
    this.#stops = new StopSequences(params.stop_sequences ?? [])
  }

  get stopSequence(): string | null {
    return this.#stops.found
  }

  get stopReason(): StopReason {
    if (this.#stops.found !== null) return 'stop_sequence'
    if (this.#hasCalls && !this.#isCut) return 'tool_use'
    if (this.#sampler.isEnded) return 'end_turn'
    return this.#sampler.isFull ? 'model_context_window_exceeded' : 'max_tokens'
  }

  get #names(): string[] {
    return this.#tools.map(({ name }) => name)
  }

  *#end(): Generator<MessageStreamEvent> {
    // Like the API, do not close the input of a call that the limit cut off.
    if (!this.#isCut) yield* this.#blocks.end()
  }

  async *events(): AsyncGenerator<MessageStreamEvent> {
    const { tool_choice: forced, output_config: output } = this.#params
    if (this.#sampler.isSpent) return
    if (forced?.type === 'any' || forced?.type === 'tool') yield* this.#forcedCall()
    else if (output?.format) yield* this.#json(output.format.schema)
    else yield* this.#text()
    yield* this.#end()
  }

  async *#json(schema: object): AsyncGenerator<MessageStreamEvent> {
    for await (const piece of this.#sampler.sample(this.#grammars.get(schema))) {
      yield* this.#say(piece)
      if (this.#stops.found !== null) return
    }
    yield* this.#blocks.text(this.#stops.end())
  }

  /** Text, thinking in tags, and calls, which a model with tools may begin at any place. */
  async *#text(): AsyncGenerator<MessageStreamEvent> {
    const finder = new CallFinder(this.#names)
    for await (const piece of this.#sampler.sample()) {
      for (const { kind, text } of this.#tags.push(piece)) {
        if (kind === 'thinking') yield* this.#blocks.thinking(text)
        else {
          const found = finder.push(text)
          yield* this.#say(found.text)
          if (this.#stops.found !== null) return
          if (found.call === undefined) continue
          yield* this.#blocks.text(this.#stops.end())
          return yield* this.#calls(found.call)
        }
      }
    }
    yield* this.#say(finder.rest)
    for (const { kind, text } of this.#tags.end()) {
      yield* kind === 'thinking' ? this.#blocks.thinking(text) : this.#say(text)
    }
    if (this.#stops.found === null) yield* this.#blocks.text(this.#stops.end())
  }

  *#say(text: string): Generator<MessageStreamEvent> {
    yield* this.#blocks.text(this.#stops.push(text))
  }

  async *#forcedCall(): AsyncGenerator<MessageStreamEvent> {
    this.#sampler.force(callStart)
    yield* this.#call({ name: '', form: jsonForm })
  }

  /** The call that the model began, and those that it adds. */
  async *#calls(first: BegunCall): AsyncGenerator<MessageStreamEvent> {
    const made = new Set<string>()
    let begun: BegunCall | undefined = first
    while (begun !== undefined && made.size < maxCalls) {
      const call: string | undefined = yield* this.#call(begun)
      if (call === undefined || made.has(call) || this.#isParallelOff()) return
      made.add(call)
      begun = await this.#nextCall(begun.form)
    }
  }

  #isParallelOff(): boolean {
    const choice = this.#params.tool_choice as { disable_parallel_tool_use?: boolean } | undefined
    return choice?.disable_parallel_tool_use ?? false
  }

  /** The next call; undefined if the model makes no further one. */
  async #nextCall({ end }: CallForm): Promise<BegunCall | undefined> {
    if (this.#sampler.isSpent) return undefined
    this.#sampler.force(end)
    let text = ''
    for await (const piece of this.#sampler.sample()) {
      text += piece
      const opening = openingOf(text, this.#names)
      if (opening === 'text') return undefined
      if (opening !== 'undecided') return opening
    }
    return undefined
  }

  /**
   * One call: the name held to the tools, the arguments to the tool's schema. Returns the call as text, or undefined if the
   * budget ended within it.
   */
  async *#call({ name, form }: BegunCall): AsyncGenerator<MessageStreamEvent, string | undefined> {
    const tool = await this.#chooseTool(name)
    if (tool === undefined) return undefined
    this.#sampler.force(form.middle)
    const grammar = this.#grammars.get(tool.input_schema) ?? inputGrammar(tool)
    yield* this.#blocks.call(tool.name)
    this.#hasCalls = true
    let json = ''
    if (!this.#sampler.isSpent) {
      for await (const piece of this.#sampler.sample(grammar)) {
        json += piece
        yield* this.#blocks.input(piece)
      }
    }
    this.#isCut = !isComplete(json)
    if (this.#isCut) return undefined
    yield* this.#blocks.end()
    return `${tool.name}${json}`
  }

  /** The tool whose name the model says. A name that is certain costs no sampling. */
  async #chooseTool(begun: string): Promise<CustomTool | undefined> {
    const candidates = this.#tools.filter(({ name }) => name.startsWith(begun))
    const names = (candidates.length > 0 ? candidates : this.#tools).map(({ name }) => name)
    const rests = names.map((name) => (candidates.length > 0 ? name.slice(begun.length) : name))
    if (rests.length === 1) {
      this.#sampler.force(rests[0]!)
      return this.#tools.find(({ name }) => name === names[0])
    }
    let said = ''
    for await (const piece of this.#sampler.sample(`root ::= ${oneOf(rests)}`)) {
      said += piece
      const fitting = rests.filter((rest) => rest.startsWith(said))
      if (fitting.length === 1 && fitting[0] === said) break
    }
    return this.#tools.find(({ name }) => name === names[rests.indexOf(said)])
  }
}

function isComplete(json: string): boolean {
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}
