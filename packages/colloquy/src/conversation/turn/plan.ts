import { attachJson } from '../../protocol/codec/attached-json.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { MessageContentParam } from '../../protocol/types/params.ts'
import { ContentError } from '../errors.ts'
import { checkContent } from '../history/content.ts'
import type { History } from '../history/history.ts'
import { continueNote, pleaseContinue, userJson } from '../history/interruption.ts'
import { jsonElements, jsonMembers } from '../history/exact/json-members.ts'
import { encodeMessage } from '../history/records.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import type { ConversationSettings } from '../settings.ts'
import type { MessageRecord } from '../stores/store.ts'
import type { OnConflict } from './conflict.ts'

/** The input of a step of a turn: of one request and its reply. */
export interface StepInput {
  /** Plans the step for the conversation as it is now. Called again after another writer changed the conversation. */
  plan: () => Plan | Promise<Plan>
  /** The settings of the turn: those of the conversation as it is now, with what the turn changes. */
  settings: () => ConversationSettings
  onConflict: OnConflict
  /** The key that makes the message be sent once. */
  key?: string | undefined
  /** Whether the turn continues after the reply by itself. */
  continuesAfter?: (reply: Message) => boolean
}

/** The messages that a step adds to a history, and their place. */
export interface Plan {
  /** The messages before those that are added. */
  history: History
  /** The messages that are added before the reply. */
  messages: readonly { role: string; json: string }[]
  /** The message that the first of `messages` follows; if there are none, the reply. */
  parent: number
  /** The beginning of the reply, which the model is to continue. */
  prefill?: readonly ContentBlock[] | undefined
}

/** Plans to send a user message. Throws a `ContentError` if the API would refuse it. */
export function planToSend(history: History, content: MessageContentParam): Plan {
  checkContent(content, history.waitingCalls)
  const json = encodeMessage('user', content)
  return { history, messages: [{ role: 'user', json }], parent: history.last?.number ?? 0 }
}

/** Plans another reply in place of the last one; if the last message is the user's, a first reply to it. */
export function planToRetry(history: History): Plan {
  const { last } = history
  if (last === undefined) throw new ContentError('Cannot retry: the conversation has no message yet')
  if (last.role !== 'assistant') return { history, messages: [], parent: last.number }
  return { history: history.upToBefore(last.number), messages: [], parent: last.parent }
}

/** Plans to continue a reply that ended early, in the way that the model supports. */
export function planToContinue(history: History, settings: ConversationSettings): Plan {
  const { last } = history
  if (last === undefined) throw new ContentError('Cannot continue the conversation: it has no message yet')
  if (last.role !== 'assistant') return { history, messages: [], parent: last.number }
  const { message } = JSON.parse(last.reply ?? '{}') as ReplyRecord
  const stopReason = last.state === 'committed' ? message?.stop_reason : undefined
  if (pauses.has(stopReason)) return { history, messages: [], parent: last.number }
  if (last.json === '') return planAfterNothing(history, last, stopReason)
  const { waitingCalls } = history
  if (waitingCalls.length > 0) {
    throw new ContentError(
      `Cannot continue message ${last.number} without the results of ${waitingCalls.join(', ')}: it waits for them`,
      { waitingCalls },
    )
  }
  if (last.state === 'committed' && !cutShort.has(stopReason)) {
    throw new ContentError(
      `Cannot continue message ${last.number}: it ended by itself (${stopReason ?? 'written by hand'}), found nothing to add`,
    )
  }
  const prefill = prefillOf(last, settings)
  if (prefill !== undefined) {
    return { history: history.upToBefore(last.number), messages: [], parent: last.parent, prefill }
  }
  return { history, messages: [userText(continueNote)], parent: last.number }
}

/** After these the reply is sent back as it is, and the model continues it. */
const pauses = new Set<unknown>(['pause_turn', 'compaction'])
const cutShort = new Set<unknown>(['max_tokens', 'model_context_window_exceeded'])

function planAfterNothing(history: History, last: MessageRecord, stopReason: unknown): Plan {
  // Sent the same request, a model that ended its turn with an empty reply does so again. The API's advice is to say something.
  if (stopReason === 'end_turn') return { history, messages: [userText(pleaseContinue)], parent: last.number }
  return planToRetry(history)
}

/** The reply's blocks as a prefill. Undefined if the model supports none, or if they do not end in text. */
function prefillOf({ json }: MessageRecord, settings: ConversationSettings): ContentBlock[] | undefined {
  if (!findModel(settings.model)?.prefill || settings.thinking?.type === 'enabled') return undefined
  const texts = jsonMembers(json).get('content')!
  if (texts.startsWith('"')) return undefined
  const content = jsonElements(texts).map((text) => attachJson(parseJson(text) as ContentBlock, text))
  const last = content.at(-1)
  if (last?.type !== 'text') return undefined
  // The API refuses a prefill that ends in white space.
  return [...content.slice(0, -1), { ...last, text: last.text.trimEnd() }]
}

function userText(text: string): { role: string; json: string } {
  return { role: 'user', json: userJson(text) }
}
