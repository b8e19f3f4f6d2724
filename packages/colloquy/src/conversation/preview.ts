import type { MessageContentParam, MessageCreateParams } from '../protocol/types/params.ts'
import { CachePlanner } from './cache/cache-planner.ts'
import { planWindow } from './window/plan-window.ts'
import { requestOf, withContainer } from './turn/prompt.ts'
import type { TurnConfig } from './turn/scope.ts'
import type { ConversationState } from './turn/state.ts'
import { summaryRequest } from './turn/summarize.ts'
import { encodeMessage } from './history/records.ts'

/** The request that would be sent next; if a summary has to make room first, the request for that. Sends nothing. */
export function nextRequest(
  { settings, history, summaries }: Pick<ConversationState, 'settings' | 'history' | 'summaries'>,
  config: Pick<TurnConfig, 'cacheMarks' | 'pauses'>,
  content: MessageContentParam | undefined,
): MessageCreateParams {
  const added = content === undefined ? [] : [encodeMessage('user', content)]
  const window = planWindow({ settings, history, added, summaries })
  const { toSummarize: range } = window
  if (range !== undefined) return summaryRequest({ settings, history, window, range }, config).params
  const all = content === undefined ? history : history.appending({ role: 'user', content })
  const sent = all.visibleThrough(window)
  const { params } = requestOf(withContainer(settings, history), {}, sent.sent)
  const plan = { now: Date.now(), experience: config.pauses }
  const cached = config.cacheMarks ? new CachePlanner().plan(params, sent, plan) : undefined
  return cached?.params ?? params
}
