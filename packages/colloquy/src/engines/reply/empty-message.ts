import type { Message, Usage } from '../../protocol/types/message.ts'
import { newId } from '../id.ts'

/** A new message without content. */
export function emptyMessage(model: string, usage: Usage): Message {
  return {
    id: newId('msg_01'),
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage,
  }
}
