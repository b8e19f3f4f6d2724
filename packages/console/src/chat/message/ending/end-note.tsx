import type { VNode } from 'preact'
import type { MessageJson } from 'colloquy/conversation/reader'
import { closedMessage } from '../../../../../colloquy/src/conversation/history/interruption.ts'
import { countText } from '../../../format.ts'
import { contentOf, textOf } from '../content-text.ts'
import { failureOf } from './reply-failure.tsx'

/** Why a reply ended early, or has nothing to read. */
export function EndNote(message: MessageJson): VNode | undefined {
  const note = message.role === 'assistant' && endNoteOf(message)
  return note ? <p class="stopped">{note}</p> : undefined
}

/** The sentence of `EndNote`. Undefined for a reply that ended as it should, or with an error, which is shown instead. */
export function endNoteOf(message: MessageJson): string | undefined {
  const { error, state, stopReason, usage } = message
  if (failureOf(message)) return state === 'interrupted' ? '■ Cut off, kept' : undefined
  if (error) {
    const stopped = error.message === closedMessage ? '■ The server stopped' : '■ Stopped'
    return textOf(contentOf(message)) === '' ? `${stopped} before the first word` : `${stopped}, kept`
  }
  if (state === 'interrupted') return '■ Cut off, kept'
  return endNotes[stopReason ?? '']?.(usage?.output_tokens) ?? (message.content.length === 0 ? emptyNote : undefined)
}

const emptyNote = 'The reply is empty.'
const endNotes: Record<string, (tokens: number | undefined) => string> = {
  max_tokens: (tokens = 0) => `Cut off after ${countText(tokens, 'token')}, the longest reply that this chat allows.`,
  model_context_window_exceeded: () => 'Cut off: the context window of the model is full.',
  refusal: () => 'The model refused. Edit your message, or retry with another model.',
}
