import type { Pausable } from '../../../in-slices.ts'
import type { Shelf } from '../../../stores/store.ts'
import type { ImportFormat, SourceLine } from '../../report.ts'
import type { SourceConversation } from '../../source.ts'
import { isChatGpt, readChatGpt } from './chatgpt.ts'
import { isClaudeAi, readClaudeAi } from './claude-ai.ts'
import { isLibreChat, readLibreChat } from './librechat.ts'
import { isOpenWebUi, readOpenWebUi } from './open-webui.ts'

/** The formats of web chats, each with a test of whether a value is a conversation of it. */
const formats = [
  { format: 'chatgpt', isOwn: isChatGpt, read: readChatGpt },
  { format: 'claude-ai', isOwn: isClaudeAi, read: readClaudeAi },
  { format: 'librechat', isOwn: isLibreChat, read: readLibreChat },
  { format: 'open-webui', isOwn: isOpenWebUi, read: readOpenWebUi },
] as const

/** A conversation of a web chat that has not been read yet. */
export interface WebChat {
  format: ImportFormat
  read(line: SourceLine): Pausable<SourceConversation>
}

/** The web chat that the value is a conversation of; undefined if it is none. */
export function webChatIn(value: unknown): WebChat | undefined {
  const found = formats.find(({ isOwn }) => isOwn(value))
  if (found === undefined) return undefined
  const { format, read } = found
  return { format, read: (line) => readShelved(read(value as never, line), value as object) }
}

// At the top of the file: V8 keeps what a generator function inside `webChatIn()` refers to, a whole chat, until the next
// full garbage collection.
function* readShelved(reading: Pausable<SourceConversation>, chat: object): Pausable<SourceConversation> {
  return { ...(yield* reading), shelf: shelfIn(chat) }
}

const archivedFlags = ['is_archived', 'isArchived', 'archived']
const pinnedFlags = ['pinned_time', 'is_starred', 'pinned']

/** An archived conversation may be pinned as well, and is archived. */
function shelfIn(conversation: object): Shelf | undefined {
  const has = (flag: string): boolean => Boolean((conversation as Record<string, unknown>)[flag])
  return archivedFlags.some(has) ? 'archived' : pinnedFlags.some(has) ? 'pinned' : undefined
}
