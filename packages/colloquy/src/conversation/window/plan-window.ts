import { findModel } from '../../protocol/models/models.ts'
import { answersCalls } from '../history/tree.ts'
import type { History, PromptSlice } from '../history/history.ts'
import type { ConversationSettings } from '../settings.ts'
import { leastSettingsLength, type Summary } from '../history/reply-record.ts'
import { oncePer } from '../once-per.ts'
import { summaryMessage, summaryTokens } from './summary.ts'
import { promptLimit, windowOf } from './window.ts'

type AddedMessages = readonly { role: string; json: string }[]

/** The messages of a request: the history and the messages that are added. */
export interface WindowInput {
  settings: ConversationSettings
  history: History
  added: AddedMessages
  /** The summaries of the conversation, on all paths. */
  summaries: readonly Summary[]
}

/** The message at which the prompt begins, and what it contains. */
export interface WindowPlan extends PromptSlice {
  /** The prompt begins elsewhere than that of the last reply, so the prompt cache has nothing of it. */
  moved: boolean
  /** An estimate of the prompt's tokens: the last usage, and a token for every 3 characters of what is new. */
  tokens: number
  /** The messages that have to be summarized first. Undefined: none. */
  toSummarize: SummaryRange | undefined
  /** The length of the settings, as JSON. */
  settingsLength: number
}

export interface SummaryRange {
  /** How many of the first records are summarized. */
  count: number
  /** True if the messages to summarize do not fit into one prompt and another summary must follow. */
  isPart: boolean
}

/** Decides where the prompt begins, by the policy and by where it began for the last reply. */
export function planWindow(input: WindowInput): WindowPlan {
  const { settings, history, added } = input
  const policy = settings.window?.policy ?? 'fail'
  const before = droppedBefore(history)
  const slice = sliceFor(input, policy, before)
  // After a compaction, the last usage is that of the compacted prompt.
  const moved = policy !== 'compact' && slice.dropped !== before
  const settingsLength = lengthOf(settings)
  const known = moved ? undefined : usedTokens(history, settingsLength)
  const sent = (): AddedMessages => history.visibleThrough(slice).records
  const size = sizeOfAll(added)
  const all = (): number => size + sizeOfAll(sent()) + settingsLength
  const tokens = known === undefined ? tokensIn(all()) : known + tokensIn(size)
  const plan = { ...slice, moved, tokens, toSummarize: undefined, settingsLength }
  if (policy !== 'drop' && policy !== 'summarize') return plan
  const limit = promptLimit(settings)
  if (limit === undefined || tokens <= limit) return plan
  const messages = [...sent(), ...added].map(sizeOf)
  const sizes = new Sizes(slice, { messages, settings: settingsLength, tokens })
  return policy === 'drop'
    ? dropFurther(input, plan, { sizes, limit })
    : { ...plan, toSummarize: rangeFor(input, { sizes, limit }) }
}

const lengthOf = oncePer((settings: ConversationSettings): number => JSON.stringify(settings).length)

/** The tokens before the new messages, by the last usage. A system prompt or tools that were added since are estimated. */
function usedTokens(history: History, settingsLength: number): number | undefined {
  const known = history.usedTokens
  if (known === undefined) return undefined
  const before = history.lastReply?.about.settings ?? leastSettingsLength
  return known + tokensIn(Math.max(0, settingsLength - before))
}

/** The slice that was sent so far, by the policy. */
function sliceFor({ settings, history, added, summaries }: WindowInput, policy: string, before: number): PromptSlice {
  const { model } = settings
  if (policy === 'drop') return { dropped: before, summary: undefined, thinking: thinkingBy(model) }
  if (policy === 'compact') return { dropped: history.compactedAt, summary: undefined, thinking: 'all' }
  if (policy === 'summarize') {
    // At least one message must be left to answer.
    const most = history.records.length - (added.length === 0 ? 1 : 0)
    const places = summaries.map((summary) => ({ summary, dropped: history.countTo(summary.upTo) }))
    const usable = places.filter(({ dropped }) => dropped > 0 && dropped <= most)
    const newest = usable.toSorted((a, b) => a.dropped - b.dropped).at(-1)
    if (newest !== undefined)
      return { dropped: newest.dropped, summary: summaryMessage(newest.summary), thinking: thinkingBy(model) }
  }
  return { dropped: 0, summary: undefined, thinking: 'all' }
}

/**
 * Models that decide by themselves when to think sign their thinking together with everything before it, and the API refuses
 * it after another beginning. Models with a thinking budget do not, and need the thinking of the current turn back.
 */
function thinkingBy(model: string): PromptSlice['thinking'] {
  const entry = findModel(model)
  return entry === undefined || entry.thinking.types.includes('enabled') ? 'all' : 'bound'
}

/** Estimates the prompt's tokens for other beginnings, by the share that each part has of its characters. */
class Sizes {
  readonly #first: number
  /** The characters before each message, and of all of them at the end. */
  readonly #before: readonly number[]
  readonly #tokensPerCharacter: number
  /** The tokens of the system prompt and tools, which are sent with any beginning. */
  readonly fixed: number

  constructor(
    { dropped, summary }: PromptSlice,
    { messages, settings, tokens }: { messages: readonly number[]; settings: number; tokens: number },
  ) {
    this.#first = dropped - (summary === undefined ? 0 : 1)
    let all = 0
    this.#before = [0, ...messages.map((size) => (all += size))]
    this.#tokensPerCharacter = tokens / (settings + all)
    this.fixed = Math.ceil(settings * this.#tokensPerCharacter)
  }

  /** The tokens of the messages from the one at this index of the path on. */
  from(place: number): number {
    return this.#tokensOf(this.#before.at(-1)! - this.#charactersBefore(place))
  }

  before(place: number): number {
    return this.#tokensOf(this.#charactersBefore(place))
  }

  #charactersBefore(place: number): number {
    return this.#before[place - this.#first]!
  }

  #tokensOf(characters: number): number {
    return Math.ceil(characters * this.#tokensPerCharacter)
  }
}

interface Room {
  sizes: Sizes
  limit: number
}

function dropFurther({ settings, history, added }: WindowInput, plan: WindowPlan, { sizes, limit }: Room): WindowPlan {
  const keepTurns = settings.window?.keepTurns
  const { turns } = startsIn(history, added, plan.dropped)
  const room = roomIn({ sizes, limit }, keepTurns)
  const isEnough = (start: number, place: number): boolean =>
    sizes.from(start) <= room && (keepTurns === undefined || turns.length - place <= keepTurns)
  // If even the last turn is too long, it is sent alone.
  const dropped = turns.find(isEnough) ?? turns.at(-1)
  if (dropped === undefined) return plan
  const tokens = sizes.fixed + sizes.from(dropped)
  return { ...plan, dropped, thinking: thinkingBy(settings.model), moved: true, tokens }
}

/** How many tokens the messages that are kept may have: half of what there is room for, so that the prompt can grow again. */
function roomIn({ sizes, limit }: Room, keepTurns: number | undefined): number {
  return (limit - sizes.fixed) / (keepTurns === undefined ? 2 : 1)
}

function rangeFor(input: WindowInput, { sizes, limit }: Room): SummaryRange | undefined {
  const { settings, history, added } = input
  const { keepTurns, model = settings.model } = settings.window!
  const { turns, steps } = startsIn(history, added, sliceFor(input, 'summarize', 0).dropped)
  const room = roomIn({ sizes, limit }, keepTurns) - summaryTokens(limit)
  const fits = (start: number): boolean => sizes.from(start) <= room
  const wanted = turns.find((start, place) => fits(start) && turns.length - place <= (keepTurns ?? 3))
  // A turn that is too long to be kept complete is summarized up to one of its last steps.
  const count = wanted ?? steps.find(fits) ?? steps.at(-1) ?? turns.at(-1)
  if (count === undefined) return undefined
  const readable = (windowOf({ ...settings, model }) ?? Infinity) - sizes.fixed - summaryTokens(limit)
  const canBeRead = (start: number): boolean => sizes.before(start) <= readable
  if (canBeRead(count)) return { count, isPart: false }
  const part = [...turns, ...steps].findLast((start) => start < count && canBeRead(start))
  return part === undefined ? { count, isPart: false } : { count: part, isPart: true }
}

/**
 * The indexes at which the user's turns begin, and at which the last turn's steps begin: a result is never sent without its
 * call.
 */
function startsIn({ records }: History, added: AddedMessages, dropped: number): { turns: number[]; steps: number[] } {
  const messages = [...records, ...added]
  const turns: number[] = []
  let steps: number[] = []
  for (const [index, message] of messages.entries()) {
    if (message.json === '') continue
    if (message.role === 'user' && !answersCalls(message)) {
      turns.push(index)
      steps = []
    } else if (message.role === 'assistant' && index > 0 && answersCalls(messages[index - 1]!)) steps.push(index)
  }
  const isNew = (index: number): boolean => index > dropped
  return { turns: turns.filter(isNew), steps: steps.filter(isNew) }
}

/** How many of the first records the request for the last reply left out. */
function droppedBefore({ lastReply }: History): number {
  return lastReply?.about.dropped ?? 0
}

/** The length in characters; an image counts as many as its tokens would have. */
function sizeOf({ json }: { json: string }): number {
  if (!json.includes('"data":"')) return json.length
  let blocks = 0
  const rest = json.replace(/"data":"[^"]{400,}"/g, () => (blocks++, ''))
  return rest.length + blocks * mostImageTokens * charactersPerToken
}

const mostImageTokens = 4_784
const charactersPerToken = 3

function sizeOfAll(messages: AddedMessages): number {
  let size = 0
  for (const message of messages) size += sizeOf(message)
  return size
}

function tokensIn(size: number): number {
  return Math.ceil(size / charactersPerToken)
}
