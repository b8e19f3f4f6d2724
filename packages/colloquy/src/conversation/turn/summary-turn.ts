import { AnthropicError } from '../../protocol/types/error.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { CostInput } from '../money/cost-ceiling.ts'
import { CachePlanner } from '../cache/cache-planner.ts'
import { type Cover, type Cut, cutFor } from '../window/cut.ts'
import { SummaryError } from '../errors.ts'
import { type Exchanged, exchange } from './exchange.ts'
import type { History } from '../history/history.ts'
import { beginReserved, estimateIfLimited } from './reservation.ts'
import type { ReplyRecord, Summary } from '../history/reply-record.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import { countedTokens, requestOf } from './request.ts'
import type { ConversationSettings } from '../settings.ts'
import type { ConversationState } from './state.ts'
import type { Account, BegunTurn, FinishStep } from '../stores/store.ts'
import { summaryInstructions, summarySettings, summaryTokens } from '../window/summary.ts'
import type { WrittenSummary } from './window-report.ts'
import type { TurnControl } from './turn.ts'
import type { Asking, TurnRequest } from './turn-runner.ts'
import { promptLimit } from '../window/window.ts'

/**
 * Sums up what the window has no room for, where its policy says so, until what is asked fits. Each summary is a call of its
 * own, kept before the next step: whatever becomes of the turn, it is there for the next one.
 *
 * Throws `SummaryError` where the call fails, and `BudgetError` where it could cost too much: nothing of the turn was written.
 */
export async function makeRoom(
  state: ConversationState,
  asking: Asking,
  { plan: makePlan, settings: makeSettings, key }: TurnRequest,
  control: TurnControl,
): Promise<void> {
  const settings = makeSettings()
  if (settings.window?.policy !== 'summarize') return
  // What was asked before need not be asked again.
  if (key !== undefined && (await state.store.find(state.id, key)) !== undefined) return
  for (let isPart = true; isPart;) {
    const plan = await makePlan()
    if (plan.reply !== undefined) return
    const added = plan.messages.map(({ json }) => json)
    const cut = cutFor({ settings, history: plan.history, added, summaries: state.summaries })
    if (cut.cover === undefined) return
    control.isSummarizing = true
    try {
      control.summaries.push(
        await summarize({ state, asking, control }, { settings, history: plan.history, cut, cover: cut.cover }),
      )
    } finally {
      control.isSummarizing = false
    }
    isPart = cut.cover.isPart
  }
}

interface Running {
  state: ConversationState
  asking: Asking
  control: TurnControl
}

interface Summarizing {
  settings: ConversationSettings
  history: History
  cut: Cut
  cover: Cover
}

async function summarize(running: Running, summarizing: Summarizing): Promise<WrittenSummary> {
  const { state, asking, control } = running
  const { upTo, params, context, begun, accounts } = await begin(running, summarizing)
  const { store, id } = state
  // Its events are none of the reply's.
  const quiet: TurnControl = { ...control, publish: () => {}, watch: () => {}, signal: control.signal }
  const { handle } = begun
  const builder = new ReplyBuilder()
  const { dropped } = summarizing.cut
  const exchanged = await exchange({ ...asking, params, context, store, id, handle, builder, dropped }, quiet)
  const text = exchanged.error === undefined ? summaryText(exchanged.message) : undefined
  const end = endOf(exchanged, text === undefined ? undefined : { upTo, text })
  await state.keep({ ...end, accounts })
  state.summarized(begun.reply, end.reply)
  if (exchanged.error !== undefined) throw failure(exchanged.error)
  const { message, cost } = exchanged
  if (text === undefined) throw new SummaryError(`found a reply that is none (${message!.stop_reason})`)
  return { by: 'turn', text, usage: message!.usage, cost }
}

interface Begun extends ReturnType<typeof requestOf> {
  upTo: number
  begun: BegunTurn
  accounts: readonly Account[] | undefined
}

async function begin({ state, asking }: Running, summarizing: Summarizing): Promise<Begun> {
  const { engine, limits } = asking
  const { settings } = summarizing
  const upTo = lastCovered(summarizing)
  const { params, context } = summaryRequest(summarizing, asking)
  const countTokens = (): Promise<number | undefined> => countedTokens(engine, () => params)
  const input = (): CostInput => ({ params, usedTokens: undefined, added: [], countTokens })
  // A summary that a budget cut short would stand for everything that it does not say.
  const limiting = { budget: whole(settings.budget), limits: whole(limits) }
  const ceiling = await estimateIfLimited(limiting, input)
  return state.exclusively(async () => {
    const { id, record } = state
    const step = { id, version: record.version, parent: upTo, messages: [], role: 'summary' as const, at: Date.now() }
    const user = settings.metadata?.user_id ?? ''
    const { begun, hold } = await beginReserved(state, limiting, step, { ceiling, user })
    // Only a key finds a turn that was begun before, and there is none.
    if (begun.repeated) throw new AnthropicError('Cannot begin a summary: found one')
    state.record = { ...record, version: begun.version, last: begun.reply }
    if (hold !== undefined) state.hold(begun.reply, hold)
    return { upTo, params, context, begun, accounts: hold?.accounts }
  })
}

/** The limits, none of which lowers `max_tokens`. */
function whole<Given extends { fit?: boolean }>(limits: Given | undefined): Given | undefined {
  return limits && { ...limits, fit: false }
}

/** The request for a summary: what is sent of the messages that it is of, and the instructions behind them. */
export function summaryRequest(
  summarizing: Summarizing,
  { cacheMarks }: Pick<Asking, 'cacheMarks'>,
): ReturnType<typeof requestOf> {
  const { settings, cut } = summarizing
  const limit = promptLimit(settings)!
  // A token is three quarters of a word; a summary that is cut off has lost its end.
  const most = Math.floor(summaryTokens(limit) / 2)
  const content = settings.window?.instructions ?? `${summaryInstructions} Use at most ${most} words.`
  const covered = summarizing.history.to(lastCovered(summarizing))!
  const history = covered.after(cut).with({ role: 'user', content })
  const { params, context } = requestOf(summarySettings(settings, limit), {}, history.sent)
  // Another model reads nothing of the cache, and nobody comes back for what it would write.
  const isCached = cacheMarks && params.model === settings.model
  const marked = isCached ? new CachePlanner().plan(params, history, Date.now())?.params : undefined
  return { params: marked ?? params, context }
}

function lastCovered({ history, cover }: Summarizing): number {
  return history.records[cover.count - 1]!.number
}

/** A summary is sent in the place of others, and never as the reply that it came as. */
function endOf({ end }: Exchanged, summary: Summary | undefined): FinishStep {
  const { json, received, reply } = end
  const record = { ...(JSON.parse(reply) as ReplyRecord), ...(summary && { summary }) } satisfies ReplyRecord
  return { ...end, json: '', received: received ?? (json === '' ? null : json), reply: JSON.stringify(record) }
}

/** Undefined where the model did something else. */
function summaryText(message: Message | undefined): string | undefined {
  if (message === undefined || message.stop_reason === 'tool_use' || message.stop_reason === 'refusal') return undefined
  const text = message.content.map(textIn).join('').trim()
  return text === '' ? undefined : text
}

function textIn(block: ContentBlock): string {
  return block.type === 'text' ? block.text : ''
}

function failure(error: Error): Error {
  return error.name === 'APIUserAbortError' ? error : new SummaryError(error.message, { cause: error })
}
