import { type Signal, batch, effect, signal } from '@preact/signals'
import { ApiFailure, call, connection, lose } from '../api/http.ts'
import type { ChangeJson, DeletedJson, ListedConversationJson, ListPageJson, PageJson, Shelf } from '../api/types.ts'
import { chatId, navigate } from '../shell/router.ts'
import { notify } from '../shell/status.tsx'
import { loadModels } from './models.ts'
import type { OpenChat } from './open-chat.ts'

/** The chats of the list without archived ones, the last used first; undefined until they are loaded. */
export const chats: Signal<ListedConversationJson[] | undefined> = signal(undefined)
/** The archived chats; undefined unless they are shown. */
export const archived: Signal<ListedConversationJson[] | undefined> = signal(undefined)
/** The place from which the list of chats that are neither pinned nor archived continues; null at its end. */
export const nextChats: Signal<string | null> = signal(null)
/** The chat that is shown. */
export const openChat: Signal<OpenChat | undefined> = signal(undefined)

/** How often the chat of the address has come or gone while the page showed it. */
export const moves: Signal<number> = signal(0)

/** Shows a chat in place of the one that is open. */
export function showChat(chat: OpenChat | undefined): void {
  openChat.value?.close()
  openChat.value = chat
}

/** The chat that the address names, once it is open. Undefined if the address names none, or another one by then. */
export function openedChat(): Promise<OpenChat | undefined> {
  const id = chatId.peek()
  let stop = (): void => undefined
  const opened = new Promise<OpenChat | undefined>((resolve) => {
    stop = effect(() => {
      if (openChat.value?.id === id) resolve(openChat.value)
      else if (chatId.value !== id) resolve(undefined)
    })
  })
  return opened.finally(stop)
}

/** The chats that are loaded, and shown, at once. */
export const pageSize = 50
/** The most chats that the server lists at once. */
const mostListed = 1_000
/** The most chats that a filter finds: more than a reader looks through. */
const maxMatching = 100

/** Loads the chats that were used last: as many as the list has, which a reader may have made longer. */
export async function loadChats(): Promise<void> {
  const known = chats.value?.filter(({ shelf }) => !shelf).length ?? 0
  const limit = Math.min(mostListed, Math.max(pageSize, known))
  const [pinned, recent] = await Promise.all([listed('pinned'), listed('none', { limit })])
  batch(() => {
    chats.value = [...pinned.data, ...recent.data].toSorted(byUse)
    nextChats.value = recent.next
  })
}

function listed(
  shelf: string,
  { limit = mostListed, before = '' }: { limit?: number; before?: string } = {},
): Promise<ListPageJson> {
  const query = new URLSearchParams({ shelf, limit: String(limit), ...(before && { before }) })
  return call('GET', `api/conversations?${query.toString()}`)
}

/** The chats that were used last come first. */
function byUse(a: ListedConversationJson, b: ListedConversationJson): number {
  return b.updatedAt.localeCompare(a.updatedAt)
}

/** Loads the archived chats, or forgets them. */
export async function toggleArchived(): Promise<void> {
  archived.value = archived.value ? undefined : (await listed('archived')).data
}

/** Finds chats by a part of their titles, archived ones included. */
export function findChats(
  title: string,
  { limit = maxMatching, signal }: { limit?: number; signal?: AbortSignal } = {},
): Promise<PageJson<ListedConversationJson>> {
  const query = new URLSearchParams({ title, limit: String(limit) })
  return call('GET', `api/conversations?${query.toString()}`, undefined, signal)
}

/** Loads the next chats of the list. */
export async function loadMoreChats(): Promise<void> {
  const before = nextChats.value
  if (before === null) return
  const page = await listed('none', { limit: pageSize, before })
  batch(() => {
    // One that changed meanwhile is in the list already.
    const known = new Set(chats.value?.map(({ id }) => id))
    chats.value = [...(chats.value ?? []), ...page.data.filter(({ id }) => !known.has(id))].toSorted(byUse)
    nextChats.value = page.next
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

/** Pins or archives a chat, or puts it back among the others. An archived chat that is open is left. */
export async function moveChat(
  chat: Pick<ListedConversationJson, 'id' | 'title' | 'shelf'>,
  shelf: Shelf | null,
): Promise<void> {
  await call('PATCH', `api/conversations/${encodeURIComponent(chat.id)}`, { shelf })
  const listed = [...(chats.value ?? []), ...(archived.value ?? [])].find(({ id }) => id === chat.id)
  if (listed) put(withShelf(listed, shelf))
  else await loadChats()
  showShelf(chat.id, shelf)
  if (shelf !== 'archived') return
  const isOpen = openChat.value?.id === chat.id
  if (isOpen) navigate('./')
  const undo = async (): Promise<void> => {
    await moveChat(chat, chat.shelf ?? null)
    if (isOpen) navigate(`c/${encodeURIComponent(chat.id)}`)
  }
  notify(`Archived ${chat.title ?? 'the chat'}`, () => void undo())
}

/** Keeps the shelf of a chat that is open. */
function showShelf(id: string, shelf: Shelf | null): void {
  const open = openChat.value
  if (open?.id === id) open.info.value = withShelf(open.info.value, shelf)
}

function withShelf<Chat extends { shelf?: Shelf }>({ shelf: _, ...chat }: Chat, shelf: Shelf | null): Chat {
  return { ...chat, ...(shelf && { shelf }) } as Chat
}

/** Puts a chat where it belongs now. */
function put(chat: ListedConversationJson): void {
  batch(() => {
    remove(chat.id)
    const list = chat.shelf === 'archived' ? archived : chats
    if (list.value) list.value = [chat, ...list.value].toSorted(byUse)
  })
}

function remove(id: string): void {
  for (const list of [chats, archived]) list.value = list.value?.filter((chat) => chat.id !== id)
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
    // Changes from before are not repeated.
    source.addEventListener('ready', () => {
      void loadChats().catch(() => undefined)
      void refreshChat()
    })
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
  const open = openChat.value
  if (change.type === 'deleted') {
    remove(change.id)
    if (open?.id === change.id) void refreshChat()
  }
  if (change.type !== 'changed') return
  const { conversation } = change
  put(conversation)
  showShelf(conversation.id, conversation.shelf ?? null)
  if (!open && conversation.id === chatId.peek()) moves.value++
  if (open?.id !== conversation.id || open.isBusy.value) return
  if (conversation.turn || conversation.updatedAt !== open.info.value.updatedAt) void refreshChat()
}

/** Reads the open chat again. One that was deleted is left to the page, which says so. */
async function refreshChat(): Promise<void> {
  const open = openChat.peek()
  await open?.refresh().catch((error: unknown) => {
    if (!(error instanceof ApiFailure) || error.status !== 404 || openChat.peek() !== open) return
    showChat(undefined)
    moves.value++
  })
}
