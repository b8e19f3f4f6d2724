import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import { CachePlanner } from '../cache/cache-planner.ts'
import { SummaryError } from '../errors.ts'
import type { History } from '../history/history.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import type { ReplyRecord, Summary } from '../history/reply-record.ts'
import type { ConversationSettings } from '../settings.ts'
import type { FinishStep } from '../stores/store.ts'
import { planWindow, type SummaryRange, type WindowPlan } from '../window/plan-window.ts'
import { summaryInstructions, summarySettings, summaryTokens } from '../window/summary.ts'
import { promptLimit } from '../window/window.ts'
import { askEngine, withoutEvents } from './request/ask.ts'
import { beginRequest, ceilingWithin, isLimited } from './request/begin.ts'
import type { BegunRequest } from './request/begun.ts'
import { keepReply } from './request/keep.ts'
import type { StepInput } from './plan.ts'
import { countedTokens, type RequestParts, requestOf } from './prompt.ts'
import type { WrittenSummary } from './reply.ts'
import type { TurnConfig, TurnScope } from './scope.ts'

/**
 * Summarizes what does not fit into the window until the turn fits. Each summary is a request of its own and is recorded before
 * the next step, so that it is there for the next turn even if this one fails.
 *
 * Throws `SummaryError` if the request fails, and `BudgetError` if it could cost too much. Nothing of the turn has been written
 * then.
 */
export async function makeRoom(scope: TurnScope, { plan: makePlan, settings: makeSettings }: StepInput): Promise<void> {
  const { state, control } = scope
  const settings = makeSettings()
  for (let isPart = true; isPart;) {
    const { history, messages } = await makePlan()
    const window = planWindow({ settings, history, added: messages, summaries: state.summaries })
    if (window.toSummarize === undefined) return
    control.isSummarizing = true
    try {
      control.summaries.push(await summarize(scope, { settings, history, window, range: window.toSummarize }))
    } finally {
      control.isSummarizing = false
    }
    isPart = window.toSummarize.isPart
  }
}

/** A summary that is to be written. */
interface SummaryInput {
  settings: ConversationSettings
  history: History
  window: WindowPlan
  /** The messages that it covers. */
  range: SummaryRange
}

async function summarize(scope: TurnScope, input: SummaryInput): Promise<WrittenSummary> {
  const request = summaryRequest(input, scope.config)
  const begun = await begin(scope, input, request)
  const control = withoutEvents(scope.control)
  const { handle } = begun
  const { dropped } = input.window
  const outcome = await askEngine({ ...scope, control }, { ...request, handle, builder: new ReplyBuilder(), dropped })
  const { step, message, cost, error } = outcome
  const text = error === undefined ? summaryText(message) : undefined
  const summary = text === undefined ? undefined : { upTo: begun.parent, text }
  await keepReply(scope, begun, { step: asSummary(step, summary) })
  if (error !== undefined) throw failure(error)
  if (text === undefined) {
    throw new SummaryError(`the model returned no summary (stop_reason: ${message!.stop_reason})`)
  }
  return { by: 'turn', text, usage: message!.usage, cost }
}

async function begin(scope: TurnScope, summary: SummaryInput, { params }: RequestParts): Promise<BegunRequest> {
  const { state, config } = scope
  const { settings, history } = summary
  // A summary that a limit cut short would leave out some of what it stands for.
  const limits = { budget: withoutFit(settings.budget), limits: withoutFit(config.limits) }
  const countTokens = () => countedTokens(config.engine, () => params)
  const input = { settings: params, params: () => params, usedTokens: undefined, added: [], countTokens }
  const ceiling = isLimited(limits) ? await ceilingWithin(limits, input) : undefined
  return state.changes.run(() =>
    beginRequest(scope, {
      role: 'summary',
      history,
      parent: lastCovered(summary),
      messages: [],
      limits,
      ceiling,
      user: settings.metadata?.user_id ?? '',
    }),
  )
}

/** The limits, none of which lowers `max_tokens`. */
function withoutFit<Given extends { fit?: boolean }>(limits: Given | undefined): Given | undefined {
  return limits && { ...limits, fit: false }
}

/** Builds the summary request: the messages to be summarized, followed by the instructions. */
export function summaryRequest(
  input: SummaryInput,
  { cacheMarks, pauses: experience }: Pick<TurnConfig, 'cacheMarks' | 'pauses'>,
): RequestParts {
  const { settings, window } = input
  const limit = promptLimit(settings)!
  // A token is about three quarters of a word. The words stay well below the limit: a summary that is cut off lacks its end.
  const words = Math.floor(summaryTokens(limit) / 2)
  const content = settings.window?.instructions ?? `${summaryInstructions} Use at most ${words} words.`
  const covered = input.history.upTo(lastCovered(input))!
  const history = covered.visibleThrough(window).appending({ role: 'user', content })
  return requestOf(summarySettings(settings, limit), {}, history, (request) => {
    // Another model cannot read this model's cache, and no later request would read what it writes.
    const isCached = cacheMarks && request.model === settings.model
    return isCached ? new CachePlanner().plan(request, history, { now: Date.now(), experience }) : undefined
  })
}

function lastCovered({ history, range }: SummaryInput): number {
  return history.records[range.count - 1]!.number
}

/** A summary is sent in place of other messages, never as the reply that it arrived as. */
function asSummary(step: FinishStep, summary: Summary | undefined): FinishStep {
  const { json, received, reply } = step
  const record = { ...(JSON.parse(reply) as ReplyRecord), ...(summary && { summary }) } satisfies ReplyRecord
  return { ...step, json: '', received: received ?? (json === '' ? null : json), reply: JSON.stringify(record) }
}

/** The text of a summary. Undefined if the model refused, called a tool or wrote no text. */
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
