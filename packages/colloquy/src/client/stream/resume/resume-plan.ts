import { isBlank, isServerToolBlock, withoutLastThinking } from '../../../protocol/sendable.ts'
import type { ContentBlock, Message } from '../../../protocol/types/message.ts'
import type { MessageParam, MessageStreamParams } from '../../../protocol/types/params.ts'
import { anchorOf, ContinuationJoiner } from './continuation-joiner.ts'

/** How to complete a message whose stream broke off. */
export type ResumePlan =
  /** Only its last events are missing. */
  | { type: 'finish'; stopReason: string | undefined }
  /** Another request continues it. */
  | { type: 'request'; params: MessageStreamParams; joiner: ContinuationJoiner; dropsThinking: boolean }

/**
 * Decides how to continue a stream that broke off after `message` had been handed out. Returns undefined if the message
 * cannot be completed.
 *
 * - All content had arrived: only the end is missing, and is added.
 * - A complete tool call was handed out: the caller must answer it first, so the message ends there.
 * - No text was handed out: the same request is sent again.
 * - Otherwise the text is sent as a prefill if the model accepts one, or the model is asked to continue the text.
 *
 * After anything was handed out, the thinking of later responses is dropped, and thinking at the end is not sent. A
 * thinking block is only valid after exactly the content that it was written after, so that of a continuation would not be
 * valid in the joined message.
 */
export function planResume(
  params: MessageStreamParams,
  message: Message,
  { prefill = takesPrefill(params) }: { prefill?: boolean | undefined } = {},
): ResumePlan | undefined {
  const { content, stop_reason: stopReason } = message
  if (stopReason !== null) return { type: 'finish', stopReason: undefined }
  if (content.some(({ type }) => type === 'tool_use')) return { type: 'finish', stopReason: 'tool_use' }
  // A server that keeps the history keeps no turn that did not end.
  if (params.thread) return undefined
  const last = content.at(-1)
  const text = last?.type === 'text' ? last.text : ''
  const sent = sendable(content)
  const request = (messages: MessageParam[], options?: { asksToRepeat: boolean }): ResumePlan => ({
    type: 'request',
    params: messages.length ? { ...params, messages: [...params.messages, ...messages] } : params,
    joiner: new ContinuationJoiner(text, options),
    dropsThinking: content.length > 0,
  })
  if (sent.length === 0) return request([])
  // A JSON output must be one text, which a second response cannot continue reliably.
  if (params.output_config?.format) return undefined
  const reply: MessageParam = { role: 'assistant', content: sent }
  if (endsOnServer(sent) || prefill) return request([reply])
  return request([reply, continueMessage(sent)], { asksToRepeat: true })
}

/** The part of a cut reply that the API accepts: no blank text, and no white space or thinking at the end. */
function sendable(content: readonly ContentBlock[]): ContentBlock[] {
  const sent = withoutLastThinking(content.filter((block) => block.type !== 'text' || !isBlank(block.text)))
  const last = sent.at(-1)
  return last?.type === 'text' ? [...sent.slice(0, -1), { ...last, text: last.text.trimEnd() }] : sent
}

/** Every model can continue a reply that ends in a server tool call or its result, as after `pause_turn`. */
function endsOnServer(content: readonly ContentBlock[]): boolean {
  const last = content.at(-1)
  return last !== undefined && isServerToolBlock(last)
}

/**
 * Whether the model continues an assistant message at the end of the history. Models up to 4.5 do so unless thinking is on;
 * later ones refuse such a request. The check is a pattern because the catalogue of models would be larger than the client.
 */
function takesPrefill({ model, thinking }: MessageStreamParams): boolean {
  if (thinking !== undefined && thinking.type !== 'disabled') return false
  return /^claude-(instant|[23]|(opus|sonnet|haiku)-4-([0-5](-\d{8})?|\d{8})$)/.test(model)
}

function continueMessage(content: readonly ContentBlock[]): MessageParam {
  const last = content.at(-1)
  const end = last?.type === 'text' ? anchorOf(last.text) : ''
  return {
    role: 'user',
    content:
      'The connection broke while you wrote, so your last message is cut off. It ends with the text between the tags:\n\n' +
      `<end>${end}</end>\n\n` +
      'Repeat that text character for character, without the tags, and go straight on from there as if nothing had happened. ' +
      'Do not mention the interruption.',
  }
}
