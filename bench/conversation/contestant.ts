import type { MessageStreamEvent } from 'colloquy/protocol'

/** One way of storing conversations. Storing is measured, creating the texts is not. */
export interface Contestant {
  /** Creates a conversation with this number of turns. */
  start(turns: number): Promise<Kept>
  close(): Promise<void>
}

export interface Kept {
  /** Stores the question, then the reply when it is complete. */
  turn(): Promise<unknown>
  /** Reads the conversation from the disk and returns the number of its messages. */
  load(): Promise<number>
  /** Reads the conversation from the disk, parses every message and returns their number. */
  show?(): Promise<number>
}

export interface AskedMessage {
  role: 'user'
  content: string
}

export interface RepliedMessage {
  role: 'assistant'
  content: { type: 'text'; text: string }[]
}

/** The export of each file in `contestants/`. `library` is the package's exports. */
export type Open = (folder: string, library: never) => Promise<Contestant>

export const settings = { model: 'claude-sonnet-4-6', max_tokens: 1024 }
export const question: string = 'a question of a kilobyte '.repeat(40)
export const answer: string = 'an answer of a kilobyte. '.repeat(40)
export const asked: AskedMessage = { role: 'user', content: question }
export const replied: RepliedMessage = { role: 'assistant', content: [{ type: 'text', text: answer }] }
export const usage = { input_tokens: 1000, output_tokens: 250 }

/** Alternates question and reply. */
export function history(turns: number): (AskedMessage | RepliedMessage)[] {
  return Array.from({ length: turns * 2 }, (_, index) => (index % 2 === 0 ? asked : replied))
}

/** The events of a reply, prepared in advance: only storing them is measured. */
export const events: readonly MessageStreamEvent[] = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: settings.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 1000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', citations: null } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: answer } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 250 },
  },
  { type: 'message_stop' },
]
