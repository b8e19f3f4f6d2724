import { type Signal, batch, signal } from '@preact/signals'
import { call, connection, lose } from '../api/http.ts'
import type { ChangeJson, DeletedJson, ListedConversationJson, PageJson } from '../api/types.ts'
import { navigate } from '../shell/router.ts'
import { notify } from '../shell/status.tsx'
import { loadModels } from './models.ts'
import type { OpenChat } from './open-chat.ts'

/** The chats of the list, the last used first; undefined until they are loaded. */
export const chats: Signal<ListedConversationJson[] | undefined> = signal(undefined)
export const hasMoreChats: Signal<boolean> = signal(false)
/** The chat that is shown. */
export const openChat: Signal<OpenChat | undefined> = signal(undefined)

/** Shows a chat in place of the one that is open. */
export function showChat(chat: OpenChat | undefined): void {
  openChat.value?.close()
  openChat.value = chat
}

/** The chats that are loaded, and shown, at once. */
export const pageSize = 50
/** The most chats that the server sends at once. */
const maxPageSize = 1_000

export async function loadChats(): Promise<void> {
  const page = await call<PageJson<ListedConversationJson>>('GET', `api/conversations?limit=${pageSize}`)
  batch(() => {
    chats.value = page.data
    hasMoreChats.value = page.hasMore
  })
}

/** Loads the chats before the last one of the list. `all`: as many as the server sends at once. */
export async function loadMoreChats({ all = false }: { all?: boolean } = {}): Promise<void> {
  const last = chats.value?.at(-1)
  if (!last) return
  const limit = all ? maxPageSize : pageSize
  const path = `api/conversations?limit=${limit}&before=${encodeURIComponent(last.id)}`
  const page = await call<PageJson<ListedConversationJson>>('GET', path)
  batch(() => {
    // One that changed meanwhile is in the list already.
    const known = new Set(chats.value?.map(({ id }) => id))
    chats.value = [...(chats.value ?? []), ...page.data.filter(({ id }) => !known.has(id))]
    hasMoreChats.value = page.hasMore
  })
}

/** Deletes a chat, and leaves it if it is open. For ten seconds it can be brought back. */
export async function deleteChat({ id, title }: { id: string; title?: string }): Promise<void> {
  const path = `api/conversations/${encodeURIComponent(id)}`
  await call<DeletedJson>('DELETE', path)
  remove(id)
  const isOpen = openChat.value?.id === id
  if (isOpen) navigate('./')
  const restore = async (): Promise<void> => {
    await call('POST', `${path}/restore`)
    await loadChats()
    if (isOpen) navigate(`c/${encodeURIComponent(id)}`)
  }
  notify(`Deleted ${title ?? 'the chat'}`, () => void restore())
}

function remove(id: string): void {
  chats.value = chats.value?.filter((chat) => chat.id !== id)
}

let source: EventSource | undefined

/** Follows the changes that other tabs, terminals and servers make, while the page is visible. */
export function followChanges(): void {
  document.addEventListener('visibilitychange', listen)
  connection.subscribe(listen)
}

function listen(): void {
  // A reader who comes back may have opened a session in another tab.
  if (!document.hidden && connection.peek().state === 'locked') void loadChats().catch(() => undefined)
  const isWanted = !document.hidden && connection.peek().state === 'connected'
  if (!isWanted) {
    source?.close()
    source = undefined
  } else if (!source) {
    // A server that was started again may have other models. The banner shows a failure.
    void loadModels().catch(() => undefined)
    source = new EventSource('api/changes')
    source.addEventListener('ready', () => void loadChats().catch(() => undefined))
    source.addEventListener('changed', ({ data }) => apply(JSON.parse(String(data)) as ChangeJson))
    source.addEventListener('deleted', ({ data }) => apply(JSON.parse(String(data)) as ChangeJson))
    source.addEventListener('error', () => {
      source?.close()
      source = undefined
      lose()
    })
  }
}

function apply(change: ChangeJson): void {
  if (change.type === 'deleted') remove(change.id)
  if (change.type !== 'changed') return
  const { conversation } = change
  chats.value = [conversation, ...(chats.value ?? []).filter(({ id }) => id !== conversation.id)]
  const open = openChat.value
  if (open?.id !== conversation.id || open.isBusy.value) return
  if (conversation.turn || conversation.updatedAt !== open.info.value.updatedAt) void open.refresh()
}
