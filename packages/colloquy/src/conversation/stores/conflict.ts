import { idOf } from '../history/tree.ts'
import { ConversationConflictError } from '../errors.ts'

/** Throws a `ConversationConflictError` if the writer has not seen the latest version of the conversation. */
export function checkVersion(id: string, stored: { version: number; head: number }, seen: number): void {
  if (stored.version === seen) return
  throw new ConversationConflictError(id, 'moved', idOf(stored.head))
}
