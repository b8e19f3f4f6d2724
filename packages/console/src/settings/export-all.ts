import { call, send } from '../api/http.ts'
import type { ListedConversationJson, PageJson } from '../api/types.ts'
import { saveFile } from '../shell/save-file.ts'
import { notify } from '../shell/status.tsx'

/** Saves every chat in one file of JSON Lines, which `colloquy import` and another console read. */
export async function exportAll(): Promise<void> {
  try {
    const parts: Blob[] = []
    for (let before = '', hasMore = true; hasMore;) {
      const page = await call<PageJson<ListedConversationJson>>('GET', `api/conversations?limit=50${before}`)
      for (const { id } of page.data) {
        parts.push(await (await send(`api/conversations/${encodeURIComponent(id)}/export`)).blob())
        if (parts.length % 20 === 0) notify(`Read ${parts.length} chats …`)
      }
      hasMore = page.hasMore
      before = `&before=${encodeURIComponent(page.data.at(-1)?.id ?? '')}`
    }
    saveFile(new Blob(parts, { type: 'application/jsonl' }), 'colloquy.jsonl')
    notify(`Saved ${parts.length} chats`)
  } catch (error) {
    notify(`Cannot export: ${(error as Error).message}`)
  }
}
