import { isBlank, isServerToolBlock, withoutLastThinking } from '../../protocol/sendable.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { MessageParam, MessageStreamParams } from '../../protocol/types/params.ts'
import { anchorOf, Joint } from './joint.ts'

/** How a message that was cut off goes on. */
export type Resumption =
  /** It is whole but for its last events. */
  | { way: 'end'; stopReason: string | undefined }
  /** It is asked for once more. */
  | { way: 'ask'; params: MessageStreamParams; joint: Joint; dropsThinking: boolean }

/**
 * What to do when a stream broke off after `message` was handed out; undefined where it cannot be made whole.
 *
 * - All content was there: only the end is missing.
 * - A tool call was handed out whole: it must be answered before the model can go on, so the message ends there.
 * - No text was: the same request again.
 * - Else the text is put in front of the model's next words (prefill) where it takes that, or it is asked to go on.
 *
 * Thinking of later answers is dropped once something was handed out, and thinking at the end is not sent: a thinking block
 * is bound to exactly what stood before it, and the continuation's would not fit the message that it becomes part of.
 */
export function resumption(params: MessageStreamParams, message: Message, prefill?: boolean): Resumption | undefined {
  const { content, stop_reason: stopReason } = message
  if (stopReason !== null) return { way: 'end', stopReason: undefined }
  if (content.some(({ type }) => type === 'tool_use')) return { way: 'end', stopReason: 'tool_use' }
  // A server that holds the history holds a turn that did not end; and an output that must be one JSON text has one start.
  if (params.thread) return undefined
  const last = content.at(-1)
  const text = last?.type === 'text' ? last.text : ''
  const sent = sendable(content)
  const joint = (repeats: boolean): Joint => new Joint(text, repeats)
  if (sent.length === 0) return { way: 'ask', params, joint: joint(false), dropsThinking: content.length > 0 }
  if (params.output_config?.format) return undefined
  const reply: MessageParam = { role: 'assistant', content: sent }
  if (endsOnServer(sent) || (prefill ?? takesPrefill(params))) {
    return { way: 'ask', params: withMessages(params, reply), joint: joint(false), dropsThinking: true }
  }
  return { way: 'ask', params: withMessages(params, reply, goOn(sent)), joint: joint(true), dropsThinking: true }
}

/** What of a cut reply the API takes back: no empty text, no white space or thinking at the end. */
function sendable(content: readonly ContentBlock[]): ContentBlock[] {
  const sent = withoutLastThinking(content.filter((block) => block.type !== 'text' || !isBlank(block.text)))
  const last = sent.at(-1)
  return last?.type === 'text' ? [...sent.slice(0, -1), { ...last, text: last.text.trimEnd() }] : sent
}

/** A reply that ends with what a server tool does is gone on with by every model, as after `pause_turn`. */
function endsOnServer(content: readonly ContentBlock[]): boolean {
  const last = content.at(-1)
  return last !== undefined && isServerToolBlock(last)
}

/**
 * Models up to 4.5 go on with an assistant message at the end; later ones refuse it, as all do with thinking on. The pattern
 * stands here because the catalogue would weigh more than the client.
 */
function takesPrefill({ model, thinking }: MessageStreamParams): boolean {
  if (thinking !== undefined && thinking.type !== 'disabled') return false
  return /^claude-(instant|[23]|(opus|sonnet|haiku)-4-([0-5](-\d{8})?|\d{8})$)/.test(model)
}

function withMessages(params: MessageStreamParams, ...added: MessageParam[]): MessageStreamParams {
  return { ...params, messages: [...params.messages, ...added] }
}

function goOn(content: readonly ContentBlock[]): MessageParam {
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
