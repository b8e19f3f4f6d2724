import type { ModelEntry } from '../../protocol/models/model-entry.ts'
import { findRetiredModel, models } from '../../protocol/models/models.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { base64Bytes, documentPages, imageSize } from '../prompt/media.ts'
import { fallback, introduction, plural } from './fallback.ts'
import { type Block, countWords, type History, readHistoryInSteps } from './history.ts'
import { SampleError } from './sample/budget.ts'
import { sample } from './sample/sample.ts'
import { shorten, skills } from './skills.ts'
import { type PlannedToolCall, chooseCalls, toolResults } from './tools.ts'
import { printable } from '../printable.ts'

/** A reply before limits cut it. */
export interface Draft {
  /** Undefined if the reply has no thinking. */
  thinking: string | undefined
  text: string
  calls: PlannedToolCall[]
}

/** Drafts the reply to a request. The same request gets the same draft. */
export function* draftReply(params: MessageCreateParams): Generator<void, Draft> {
  const history = yield* readHistoryInSteps(params)
  const calls = chooseCalls(params, history)
  const thinking = thoughts(history, calls)
  if (calls.length > 0) return { thinking, calls, text: isForced(params) ? '' : callNote(calls) }
  const schema = params.output_config?.format?.schema
  const whole = schema
    ? outputFor(schema, factsOf(history))
    : noteOn(params.model, history) + obey(history.system, answer(history))
  return { thinking, calls, text: continued(history.prefill, whole) }
}

/** The first reply says if the model was retired, and which model replaces it. */
function noteOn(model: string, history: History): string {
  const retired = findRetiredModel(model)
  if (!retired || !isFirst(history)) return ''
  const successor = successorOf(retired)
  return `Note: ${model} was retired on ${retired.retiredOn}.${successor ? ` Use ${successor.id} instead.` : ''}\n\n`
}

function successorOf({ id }: { id: string }): ModelEntry | undefined {
  return models.find(({ line, lifecycle }) => lifecycle === 'active' && id.includes(line))
}

function outputFor(schema: unknown, text: string): string {
  try {
    return JSON.stringify(sample(schema, text))
  } catch (error) {
    if (!(error instanceof SampleError)) throw error
    throw apiError('invalid_request_error', `output_config.format.schema: ${error.message}`)
  }
}

function isForced({ tool_choice: choice }: MessageCreateParams): boolean {
  return choice?.type === 'any' || choice?.type === 'tool'
}

function callNote(calls: readonly PlannedToolCall[]): string {
  return `I call ${calls.map(({ name }) => `\`${name}\``).join(' and ')}, because your message names it.`
}

function factsOf(history: History): string {
  const results = toolResults(history).map(({ text }) => text)
  return [history.question, ...results].join('\n')
}

function thoughts({ turns, question, system }: History, calls: readonly PlannedToolCall[]): string {
  const size = `The message has ${plural(countWords(question), 'word')}, and ${plural(turns.length - 1, 'message')} came before it.`
  const frame = system ? ' There is a system prompt.' : ''
  const plan = calls.length > 0 ? ` A tool fits: ${calls[0]!.name}.` : ' I look for a rule that answers it.'
  return size + frame + plan
}

function answer(history: History, depth = 0): string {
  const results = toolResults(history)
  if (results.length > 0) return reportOf(results)
  const attached = history.turns.at(-1)?.blocks.filter(({ type }) => type === 'image' || type === 'document') ?? []
  if (attached.length > 0) return descriptionOf(attached)
  const rest = remainder(history, depth)
  if (rest !== undefined) return rest
  // The rules read the first part of a long message only.
  const question = history.question.slice(0, 20_000)
  for (const skill of skills) {
    const text = skill(question, history)
    if (text !== undefined)
      return isFirst(history) && !text.startsWith(introduction) && isGreeting(question)
        ? `${introduction} ${text}`
        : text
  }
  return fallback(history)
}

function isFirst({ turns }: History): boolean {
  return turns.length === 1
}

function isGreeting(question: string): boolean {
  return /^(hi|hello|hey|good|greetings)\b/i.test(question)
}

function reportOf(results: ReturnType<typeof toolResults>): string {
  const lines = results.map(
    ({ name, text, isError }) => `\`${name}\` ${isError ? 'failed' : 'answered'}: ${text || '(nothing)'}`,
  )
  return lines.length === 1
    ? `The tool ${lines[0]}`
    : `The tools answered.\n\n${lines.map((line) => `- ${line}`).join('\n')}`
}

function descriptionOf(blocks: readonly Block[]): string {
  const lines = blocks.map(describeAttachment)
  const opening = `I cannot see what is in it, but this arrived:`
  return lines.length === 1 ? `${opening} ${lines[0]}.` : `${opening}\n\n${lines.map((line) => `- ${line}`).join('\n')}`
}

function describeAttachment({ type, source: given, title }: Block): string {
  const source = (given ?? {}) as Block
  const named = title ? ` “${printable(title)}”` : ''
  const data = printable(source.data ?? '')
  if (source.type === 'url') return `${article(type)}${named} by URL, ${printable(source.url)}`
  if (source.type === 'file') return `${article(type)}${named} by file id, ${printable(source.file_id)}`
  if (source.type === 'text')
    return `a plain text document${named} of ${data.length} characters, which begins “${shorten(data, 60)}”`
  if (source.type === 'content')
    return `a document${named} made of ${Array.isArray(source.content) ? plural(source.content.length, 'block') : 'text'}`
  const bytes = plural(base64Bytes(data), 'byte')
  if (type === 'document')
    return `a document${named}, ${printable(source.media_type)}, ${bytes}, ${plural(documentPages(data), 'page')}`
  const size = imageSize(data)
  return `an image, ${printable(source.media_type)}, ${bytes}, ${size ? `${size.width} × ${size.height} pixels` : 'of a size its header does not tell'}`
}

function article(noun: string): string {
  return noun === 'image' ? 'an image' : `a ${noun}`
}

/** A reply that continues one that continues another may be cut short too. */
const maxContinuations = 20

/** The rest of the previous reply, if it was cut short and the user asks to continue. */
function remainder({ turns, question, system }: History, depth: number): string | undefined {
  if (
    depth >= maxContinuations ||
    !/^(please )?(continue|go on|carry on|keep going)\b|\bcontinue (?:exactly |right )?(?:where|from where)\b/i.test(
      question.slice(0, 20_000),
    )
  )
    return undefined
  const cut = turns.at(-2)?.text
  if (!cut || turns.length < 3) return undefined
  const before = turns.slice(0, -2)
  const earlier = { turns: before, system, question: before.at(-1)!.text, prefill: '' }
  const whole = obey(system, answer(earlier, depth + 1))
  if (!whole.startsWith(cut)) return undefined
  return whole.length > cut.length ? whole.slice(cut.length) : 'I had said everything.'
}

/** The text that continues the prefilled beginning. */
function continued(prefill: string, whole: string): string {
  if (!prefill) return whole
  if (whole.startsWith(prefill)) return whole.slice(prefill.length)
  const opening = /[[{(]$/.exec(prefill)?.[0]
  if (opening === '{') return `"answer": ${JSON.stringify(whole)}}`
  if (opening === '[') return `${JSON.stringify(whole)}]`
  return (opening ? '' : ' ') + whole
}

/** Follows the few instructions that fixed rules can follow. Other system prompts are quoted on request, but not followed. */
function obey(instructions: string, text: string): string {
  if (!instructions) return text
  const system = instructions.slice(0, 20_000)
  const always = quotedAfter(
    system,
    String.raw`(?:always|only) (?:say|answer|reply|respond)(?: only)?(?: with)?|(?:answer|reply|respond) only with`,
  )
  let reply = always ?? text
  if (/\b(one|a single|1) sentence\b/i.test(system)) reply = /^[^]*?[.!?](?=\s|$)/.exec(reply)?.[0] ?? reply
  if (/\b(one|a single|1) word\b/i.test(system)) reply = /[\p{L}\p{N}]+/u.exec(reply)?.[0] ?? reply
  const opening = quotedAfter(system, String.raw`(?:begin|start)\w*(?: \w+){0,4} with`)
  if (opening) reply = `${opening} ${reply}`
  const ending = quotedAfter(system, String.raw`(?:end|finish|sign)\w*(?: \w+){0,4} with`)
  if (ending) reply = `${reply} ${ending}`
  if (/\b(upper ?case|capital letters|all caps|shout)/i.test(system)) reply = reply.toUpperCase()
  if (/\blower ?case/i.test(system)) reply = reply.toLowerCase()
  return reply
}

function quotedAfter(text: string, pattern: string): string | undefined {
  return new RegExp(String.raw`\b(?:${pattern})[:\s]+(?:the words? )?["“'\x60]([^"”'\x60]+)["”'\x60]`, 'i').exec(
    text,
  )?.[1]
}
