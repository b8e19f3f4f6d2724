import type { Message } from '../protocol/types/message.ts'
import type { MessageContentParam, MessageCreateParams } from '../protocol/types/params.ts'
import { CachePlanner } from './cache/cache-planner.ts'
import { planWindow } from './window/plan-window.ts'
import { requestOf, withContainer } from './turn/prompt.ts'
import type { TurnConfig } from './turn/scope.ts'
import type { ConversationState } from './turn/state.ts'
import { summaryRequest } from './turn/summarize.ts'
import type { History } from './history/history.ts'
import { encodeMessage } from './history/records.ts'
import { parseReply, type ReplyTrace } from './history/reply-record.ts'
import { replyMessage } from './history/view.ts'
import type { MessageRecord } from './stores/store.ts'

/** The request that would be sent next; if a summary has to make room first, the request for that. Sends nothing. */
export function nextRequest(
  { settings, history, summaries }: Pick<ConversationState, 'settings' | 'history' | 'summaries'>,
  config: Pick<TurnConfig, 'cacheMarks' | 'pauses'>,
  content: MessageContentParam | undefined,
): MessageCreateParams {
  const added = content === undefined ? [] : [{ role: 'user', json: encodeMessage('user', content) }]
  const window = planWindow({ settings, history, added, summaries })
  const { toSummarize: range } = window
  if (range !== undefined) return summaryRequest({ settings, history, window, range }, config).params
  const all = content === undefined ? history : history.appending({ role: 'user', content })
  const sent = all.visibleThrough(window)
  const plan = { now: Date.now(), experience: config.pauses }
  return requestOf(withContainer(settings, history), {}, sent, (request) =>
    config.cacheMarks ? new CachePlanner().plan(request, sent, plan) : undefined,
  ).params
}

/** A request that was sent, and what came back. */
export interface Exchange {
  /** Its messages are those that were sent, with the cache breakpoints that would be set now. */
  request: MessageCreateParams
  /** Whether its other parameters are those that were sent. False: they are the settings that the conversation has now. */
  isExact: boolean
  /** The API's message; for an interrupted reply, as far as it arrived. Undefined if nothing arrived. */
  response: Message | undefined
  /** Undefined if the reply was received without the option `traces`. */
  trace: ReplyTrace | undefined
}

/**
 * The request of a reply.
 *
 * @param before the history that the reply answered.
 */
export function exchangeOf(
  state: Pick<ConversationState, 'settings' | 'summaries'>,
  config: Pick<TurnConfig, 'cacheMarks' | 'pauses'>,
  { before, reply }: { before: History; reply: MessageRecord },
): Exchange {
  const now = nextRequest({ settings: state.settings, summaries: state.summaries, history: before }, config, undefined)
  const { trace, message } = parseReply(reply.reply ?? '{}') ?? {}
  const isExact = trace !== undefined && !trace.omits
  const known = { model: message?.model ?? now.model, ...trace?.request }
  const request = { ...(!isExact && now), ...known, messages: now.messages } as MessageCreateParams
  return { request, isExact, response: replyMessage(reply), trace }
}
