import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic, { APIError } from 'colloquy'
import { type Conversation, openConversations, SummaryError } from 'colloquy/conversation'
import { type Engine, offline, type ScriptedMessage, script, type Step } from 'colloquy/engines'
import {
  accumulate,
  type ContentBlock,
  costOf,
  type MessageCreateParams,
  type MessageParam,
  type MessageStreamEvent,
  type PingEvent,
  type ServerToolUseBlock,
} from 'colloquy/protocol'
import { createServer } from '@colloquy/server'
import fc from 'fast-check'
import { runs } from './sampled.ts'

// Anything is done to conversations before a server that is as strict as the API.

type Operation =
  | { do: 'send' | 'retry' | 'edit'; reply: Reply; size: number; target: number }
  | { do: 'undo' | 'switchTo' | 'erase' | 'fork' | 'copy'; target: number }
  | { do: 'configure'; settings: (typeof changes)[number] }
type Reply = (typeof replies)[number]

type Event = MessageStreamEvent | PingEvent

const replies = [
  ...(['text', 'long', 'thinking', 'call', 'calls', 'blank', 'empty', 'refusal', 'fails'] as const),
  // Tools that the API runs: a reply with a result, one that pauses before it, one whose continuation fails or is cut off, and
  // one with a tool of the caller, after whose result the API sends its own.
  ...(['search', 'pause', 'pause and fail', 'pause and cut', 'mixed'] as const),
]
const words = 'word '
const system = 'You are brief and kind. '.repeat(400)
const tool = { name: 'look', description: 'Looks.', input_schema: { type: 'object' as const } }
const webSearch = { type: 'web_search_20250305' as const, name: 'web_search' as const }
const changes = [
  { system },
  { system: undefined },
  {
    system: [
      { type: 'text' as const, text: system },
      { type: 'text' as const, text: 'Today is Monday.' },
    ],
  },
  { window: { policy: 'drop' as const, atTokens: 4_000 } },
  { window: { policy: 'drop' as const, atTokens: 4_000, keepTurns: 2 } },
  { window: { policy: 'summarize' as const, atTokens: 4_000 } },
  { window: undefined },
  { model: 'claude-opus-4-6' },
  { model: 'claude-sonnet-4-6' },
]

const target = fc.nat(20)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('send' as const, 'send' as const, 'send' as const, 'retry' as const, 'edit' as const),
      reply: fc.constantFrom(...replies),
      size: fc.constantFrom(1, 1, 300, 1_500),
      target,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('undo' as const, 'switchTo' as const, 'erase' as const, 'fork' as const, 'copy' as const),
      target,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('configure' as const), settings: fc.constantFrom(...changes) }) },
)

test('every request is accepted and fits the window, and costs add up, whatever is done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 20 }), async (list) => {
      const world = new World()
      await world.start()
      for (const each of list) await world.perform(each)
      await world.close()
    }),
    {
      numRuns: runs(400, 20),
    },
  )
})

class World {
  readonly #conversations = openConversations({
    client: new Anthropic({
      fetch: createServer({ engine: this.#engine() }).fetch,
      baseURL: 'http://colloquy.test',
      apiKey: 'any',
      maxRetries: 0,
    }),
  })
  #conversation!: Conversation
  #reply: Reply = 'text'
  #requests: MessageCreateParams[] = []
  /** The picodollars that the engine charged, by conversation. */
  readonly #charged = new Map<Conversation, bigint>()
  #isEstimated = false

  async start(): Promise<void> {
    this.#use(
      await this.#conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 500, tools: [tool, webSearch] }),
    )
  }

  async perform(operation: Operation): Promise<void> {
    const conversation = this.#conversation
    const { messages } = conversation
    const chosen = 'target' in operation ? messages[operation.target % messages.length] : undefined
    if (operation.do === 'configure') await conversation.configure(operation.settings)
    else if (operation.do === 'fork') this.#use(await conversation.fork(chosen?.id))
    else if (operation.do === 'copy') this.#use(await this.#copy())
    else if (operation.do === 'undo') await conversation.undo().catch(isRefused)
    else if (operation.do === 'send') await this.#send(operation)
    else if (chosen === undefined) return
    else if (operation.do === 'switchTo') await conversation.switchTo(chosen.id)
    else if (operation.do === 'erase') await conversation.erase(chosen.id)
    else if ('reply' in operation) await this.#again(operation, chosen)
    this.#check()
  }

  async #send({ reply, size }: { reply: Reply; size: number }): Promise<void> {
    this.#reply = reply
    const conversation = this.#conversation
    const calls = conversation.messages.at(-1)?.content
    const open =
      typeof calls === 'string' || calls === undefined ? [] : calls.filter((block) => block.type === 'tool_use')
    const content =
      open.length === 0
        ? words.repeat(size)
        : open.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: words.repeat(size) }))
    const preview = conversation.preview(content)
    await conversation.send(content).catch(isRefused)
    if (this.#requests.length === 1) assert.deepEqual(this.#requests[0]!.messages, preview.messages)
  }

  async #again(
    { do: method, reply, size }: Extract<Operation, { reply: Reply }>,
    { id, role }: Conversation['messages'][number],
  ): Promise<void> {
    this.#reply = reply
    const conversation = this.#conversation
    const isEdit = method === 'edit' && role === 'user'
    await (isEdit ? conversation.edit(id, words.repeat(size)) : conversation.retry(id)).catch(isRefused)
  }

  async #copy(): Promise<Conversation> {
    const lines = await Array.fromAsync(this.#conversations.export(this.#conversation.id))
    const copy = await this.#conversations.import(lines.join('\n'))
    // The window of a copy is estimated without the usage of its replies, which were paid for elsewhere.
    if (copy.settings.window === undefined) assert.deepEqual(copy.preview('And?'), this.#conversation.preview('And?'))
    assert.deepEqual(
      (await Array.fromAsync(this.#conversations.export(copy.id))).slice(1).map(withoutMark),
      lines.slice(1).map(withoutMark),
    )
    return copy
  }

  #use(conversation: Conversation): void {
    this.#conversation = conversation
    this.#charged.set(conversation, 0n)
  }

  #check(): void {
    for (const params of this.#requests) checkBreakpoints(params)
    this.#requests = []
    // A reply that was cut off has an estimated cost.
    if (this.#isEstimated) this.#charged.set(this.#conversation, this.#conversation.cost.picoUsd)
    this.#isEstimated = false
    for (const [conversation, charged] of this.#charged) assert.equal(conversation.cost.picoUsd, charged)
  }

  #engine(): Engine {
    const countTokens = offline().countTokens!
    const eventsOf = (params: MessageCreateParams): Promise<AsyncIterable<Event> | Event[]> => this.#eventsOf(params)
    async function* engine(params: MessageCreateParams): AsyncGenerator<Event> {
      yield* await eventsOf(params)
    }
    return Object.assign(engine, { countTokens })
  }

  async #eventsOf(params: MessageCreateParams): Promise<AsyncIterable<Event> | Event[]> {
    this.#requests.push(structuredClone(params))
    const isSummary = JSON.stringify(params.messages.at(-1)).includes('Write a summary')
    const limit = this.#conversation.settings.window?.atTokens
    const { input_tokens: tokens } = await offline().countTokens!(params)
    if (!isSummary && limit !== undefined) assert.ok(tokens <= limit, `${tokens} tokens`)
    const step = isSummary ? { reply: messageOf('text') } : stepOf(this.#reply, params)
    if ('cut' in step) this.#isEstimated = true
    const events = script([step])(params)
    if ('cut' in step || 'error' in step) return events
    const whole = await Array.fromAsync(events)
    const { usage, model, stop_reason: reason } = await accumulate(whole)
    if (reason !== 'refusal') this.#charge(costOf(usage, model)!.picoUsd)
    return whole
  }

  #charge(picoUsd: bigint): void {
    this.#charged.set(this.#conversation, this.#charged.get(this.#conversation)! + picoUsd)
  }

  async close(): Promise<void> {
    await this.#conversations.close()
  }
}

let ids = 0

/** The reply to a request, which begins with the results of the API's tools that were called before. */
function stepOf(reply: Reply, { messages }: MessageCreateParams): Step {
  const isContinued = messages.at(-1)!.role === 'assistant'
  if (reply === 'fails' || (isContinued && reply === 'pause and fail')) return { error: { type: 'overloaded_error' } }
  const { content, ...message } = messageOf(isContinued ? 'text' : reply)
  // A refusal before any output is not billed.
  const results = message.stop_reason === 'refusal' ? [] : openSearches(messages).map(resultOf)
  const whole = { ...message, content: [...results, ...(content as ContentBlock[])] }
  return isContinued && reply === 'pause and cut'
    ? { reply: whole, after: 1 + (ids % 6), cut: 'reset' }
    : { reply: whole }
}

/** The calls of the API's tools without a result. */
function openSearches(messages: readonly MessageParam[]): string[] {
  const blocks = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  const answered = new Set(blocks.map((block) => ('tool_use_id' in block ? block.tool_use_id : undefined)))
  return blocks.flatMap((block) => (block.type === 'server_tool_use' && !answered.has(block.id) ? [block.id] : []))
}

function resultOf(id: string): ContentBlock {
  return { type: 'web_search_tool_result', tool_use_id: id, content: [], caller: { type: 'direct' } }
}

function messageOf(reply: Reply): ScriptedMessage {
  const call = (): ContentBlock => ({ type: 'tool_use', id: `toolu_${++ids}`, name: 'look', input: { n: ids } })
  const text = (value: string): ContentBlock => ({ type: 'text', text: value, citations: null })
  if (reply === 'call') return { content: [text('I look.'), call()], stop_reason: 'tool_use' }
  if (reply === 'calls') return { content: [call(), call()], stop_reason: 'tool_use' }
  if (reply === 'thinking') return { content: [{ type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }, text('Yes.')] }
  const search = (): ContentBlock => {
    const id = `srvtoolu_${++ids}`
    return { type: 'server_tool_use', id, name: 'web_search', input: { query: id }, caller: { type: 'direct' } }
  }
  if (reply === 'search') {
    const call = search() as ServerToolUseBlock
    return { content: [text('I search.'), call, resultOf(call.id), text('Yes.')] }
  }
  if (reply.startsWith('pause')) return { content: [text('I search.'), search()], stop_reason: 'pause_turn' }
  if (reply === 'mixed') return { content: [search(), call()], stop_reason: 'tool_use' }
  if (reply === 'blank') return { content: [text(' \n')] }
  if (reply === 'empty') return { content: [] }
  if (reply === 'refusal') return { content: [], stop_reason: 'refusal' }
  return { content: [text(reply === 'long' ? words.repeat(600) : 'Yes.')] }
}

/** Errors of this library and of the engine are results. One that the server found in the request is not. */
function isRefused(error: unknown): void {
  const found = error instanceof SummaryError ? error.cause : error
  if (found instanceof APIError && found.status !== undefined && found.status !== 529) throw error
}

/** At most four breakpoints, none on thinking or a blank text, and an hour never after five minutes. */
function checkBreakpoints({ tools = [], system: prompt, messages }: MessageCreateParams): void {
  const contents = messages.map(({ content }) => (typeof content === 'string' ? [] : content))
  const blocks: Block[] = [...tools, ...(Array.isArray(prompt) ? prompt : []), ...contents.flat()]
  const marked = blocks.filter(({ cache_control: mark }) => mark != null)
  assert.ok(marked.length <= 4)
  for (const { type, text } of marked) assert.ok(type !== 'thinking' && (type !== 'text' || text!.trim() !== ''))
  const lives = marked.map(({ cache_control: mark }) => mark?.ttl ?? '5m')
  assert.deepEqual(lives, lives.toSorted())
}

interface Block {
  type?: string | null
  text?: string
  cache_control?: { ttl?: string } | null
}

/** The mark of replies that were paid for elsewhere. */
function withoutMark(line: string): string {
  return line.replace(/,"unpaid":true/, '')
}
