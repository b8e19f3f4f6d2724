import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { attachJson } from '../../protocol/codec/attached-json.ts'
import type { ContentBlock } from '../../protocol/types/message.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { MessageContentParam, MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { withCompaction } from '../window/compaction.ts'
import { ContentError } from '../errors.ts'
import type { History } from '../history/history.ts'
import { jsonElements, jsonMembers } from '../history/json-members.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import type { ConversationSettings } from '../settings.ts'
import type { MessageRecord } from '../stores/store.ts'

/** What the next turn adds to a history, and where. */
export interface Plan {
  /** The messages that stand before what is added. */
  history: History
  /** What is added before the reply. */
  messages: readonly { role: string; json: string }[]
  /** The message that these, or without any the reply, follow. */
  parent: number
  /** The beginning of the reply, which the model is to continue. */
  prefill?: readonly ContentBlock[] | undefined
  /** The reply itself, where its reader wrote it and nobody is asked. */
  reply?: MessageContentParam | undefined
}

/** The plan that carries a reply on which ended early, by the rules of the model. */
export function planToContinue(history: History, settings: ConversationSettings): Plan {
  const { last } = history
  if (last === undefined) throw new ContentError('Cannot continue the conversation: it has no message yet')
  if (last.role !== 'assistant') return { history, messages: [], parent: last.number }
  const { message } = JSON.parse(last.reply ?? '{}') as ReplyRecord
  const stopReason = last.state === 'committed' ? message?.stop_reason : undefined
  if (pauses.has(stopReason)) return { history, messages: [], parent: last.number }
  if (last.json === '') return planAfterNothing(history, last, stopReason)
  if (last.state === 'committed' && !cutShort.has(stopReason)) {
    throw new ContentError(
      `Cannot continue message ${last.number}: it ended by itself (${stopReason ?? 'written by hand'}), found nothing to add`,
    )
  }
  const prefill = prefillOf(last, settings)
  if (prefill !== undefined) return { history: history.before(last.number), messages: [], parent: last.parent, prefill }
  return { history, messages: [userText(continueNote)], parent: last.number }
}

/** The reply is sent back as it is, and goes on. */
const pauses = new Set<unknown>(['pause_turn', 'compaction'])
const cutShort = new Set<unknown>(['max_tokens', 'model_context_window_exceeded'])

/** What asks a model without prefill to carry on. */
export const continueNote: string =
  'Your last message was cut off. Continue it exactly where it stopped: repeat nothing and do not mention the interruption.'

function planAfterNothing(history: History, last: MessageRecord, stopReason: unknown): Plan {
  // An empty end of turn comes again when it is only asked again: the API's advice is to say something.
  if (stopReason === 'end_turn') return { history, messages: [userText('Please go on.')], parent: last.number }
  return { history: history.before(last.number), messages: [], parent: last.parent }
}

/** The reply's blocks as a prefill; undefined where the model takes none, or where they do not end in text. */
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
  return { role: 'user', json: JSON.stringify({ role: 'user', content: text }) }
}

/** What is sent: the settings and the messages, without what belongs to the request's headers. */
export function requestOf(
  given: ConversationSettings,
  { prefill }: Pick<Plan, 'prefill'>,
  messages: MessageParam[],
): { params: MessageCreateParams; context: EngineContext } {
  const { betas, version, budget: _, window: __, ...settings } = withCompaction(given)
  const sent: MessageParam[] =
    prefill === undefined ? messages : [...messages, { role: 'assistant', content: [...prefill] }]
  return {
    params: { ...settings, messages: sent },
    context: { ...(betas === undefined ? {} : { betas }), ...(version === undefined ? {} : { version }) },
  }
}

/** Builds the reply, from its beginning where it has one. */
export function builderFor({ prefill = [] }: Pick<Plan, 'prefill'>): ReplyBuilder {
  return new ReplyBuilder(prefill)
}

/** The prompt's tokens, counted by the engine. Undefined if the engine cannot count. */
export async function countedTokens(engine: Engine, request: () => MessageCreateParams): Promise<number | undefined> {
  if (engine.countTokens === undefined) return undefined
  const { max_tokens: _, stream: __, metadata: ___, stop_sequences: ____, ...counted } = request()
  return (await engine.countTokens(counted)).input_tokens
}
