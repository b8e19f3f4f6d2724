import { ApiFailure, call, send } from '../api/http.ts'
import type { ListPageJson } from '../api/types.ts'
import { saveFile } from '../shell/save-file.ts'
import { notify } from '../shell/status.tsx'

/** Saves every chat in one file of JSON Lines, which `colloquy import` and another console read. */
export async function exportAll(): Promise<void> {
  try {
    notify('Reading chats …')
    const parts: Blob[] = []
    for (const id of await allIds()) {
      const part = await exported(id)
      if (part) parts.push(part)
      if (parts.length % 20 === 0) notify(`Read ${parts.length} chats …`)
    }
    saveFile(new Blob(parts, { type: 'application/jsonl' }), 'colloquy.jsonl')
    notify(`Saved ${parts.length} chats`)
  } catch (error) {
    notify(`Cannot export: ${(error as Error).message}`)
  }
}

/** Read before the first chat is: one that is used meanwhile moves to a page that was read. */
async function allIds(): Promise<Set<string>> {
  const ids = new Set<string>()
  for (let next: string | null = ''; next !== null;) {
    const before: string = next && `&before=${encodeURIComponent(next)}`
    const page = await call<ListPageJson>('GET', `api/conversations?limit=1000${before}`)
    for (const { id } of page.data) ids.add(id)
    next = page.next
  }
  return ids
}

/** Undefined if the chat was deleted meanwhile. */
async function exported(id: string): Promise<Blob | undefined> {
  try {
    return await (await send(`api/conversations/${encodeURIComponent(id)}/export`)).blob()
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined
    throw error
  }
}
