import type { TreeMessageJson } from '../../api/types.ts'
import { notify, undoMs } from '../../shell/status.tsx'
import type { OpenChat } from '../open-chat.ts'

/** Erases a message and all that follow it. For ten seconds that can be taken back; the server waits, not the page. */
export async function prune(chat: OpenChat, { id, excerpt }: TreeMessageJson): Promise<void> {
  try {
    await chat.erase(id, undoMs)
  } catch (error) {
    return notify(`Cannot erase: ${(error as Error).message}`)
  }
  const undo = (): Promise<void> => {
    return chat.undoErase(id).catch((error: Error) => notify(`Cannot undo: ${error.message}`))
  }
  notify(`Erased “${excerpt.slice(0, 40) || 'message'}” and what follows`, () => void undo())
}
