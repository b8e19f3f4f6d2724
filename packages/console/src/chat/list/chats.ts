import { type Signal, batch, signal } from '@preact/signals'
import { call } from '../../api/http.ts'
import type { DeletedJson, ListPageJson, ListedConversationJson, PageJson, Shelf } from '../../api/types.ts'
import { navigate } from '../../shell/router.ts'
import { notify } from '../../shell/status.tsx'
import { openChat } from '../shown-chat.ts'

/** The chats of the list without archived ones, the last used first; undefined until they are loaded. */
export const chats: Signal<ListedConversationJson[] | undefined> = signal(undefined)
/** The archived chats; undefined unless they are shown. */
export const archived: Signal<ListedConversationJson[] | undefined> = signal(undefined)
/** The place from which the list of chats that are neither pinned nor archived continues; null at its end. */
export const nextChats: Signal<string | null> = signal(null)
/** The chats that are loaded, and shown, at once. */
export const pageSize = 50
/** The most chats that the server lists at once. */
const mostListed = 1_000
/** The most chats that a filter finds: more than a reader looks through. */
const maxMatching = 100

/** Why the list could not be loaded when this was last tried. */
export const listFailure: Signal<Error | undefined> = signal(undefined)

/** Loads the chats that were used last: as many as the list has, which a reader may have made longer. */
export async function loadChats(): Promise<void> {
  const known = chats.value?.filter(({ shelf }) => !shelf).length ?? 0
  const limit = Math.min(mostListed, Math.max(pageSize, known))
  try {
    const [pinned, recent] = await Promise.all([listed('pinned'), listed('none', { limit })])
    batch(() => {
      chats.value = [...pinned.data, ...recent.data].toSorted(byUse)
      nextChats.value = recent.next
      listFailure.value = undefined
    })
  } catch (error) {
    listFailure.value = error as Error
  }
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
  removeChat(id)
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
  if (listed) putChat(withShelf(listed, shelf))
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
export function showShelf(id: string, shelf: Shelf | null): void {
  const open = openChat.value
  if (open?.id === id) open.info.value = withShelf(open.info.value, shelf)
}

function withShelf<Chat extends { shelf?: Shelf }>({ shelf: _, ...chat }: Chat, shelf: Shelf | null): Chat {
  return { ...chat, ...(shelf && { shelf }) } as Chat
}

/** Puts a chat where it belongs now. */
export function putChat(chat: ListedConversationJson): void {
  batch(() => {
    removeChat(chat.id)
    const list = chat.shelf === 'archived' ? archived : chats
    if (list.value) list.value = [chat, ...list.value].toSorted(byUse)
  })
}

/** Takes a chat off the lists. */
export function removeChat(id: string): void {
  for (const list of [chats, archived]) list.value = list.value?.filter((chat) => chat.id !== id)
}
