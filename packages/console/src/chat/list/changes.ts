import { connection, findSession, lose } from '../../api/http.ts'
import type { ChangeJson, ListedConversationJson } from '../../api/types.ts'
import { chatId } from '../../shell/router.ts'
import { loadModels } from '../models.ts'
import { moves, openChat, refreshChat } from '../shown-chat.ts'
import { loadChats, putChat, removeChat, showShelf } from './chats.ts'

let source: EventSource | undefined

/** Follows the changes that other tabs, terminals and servers make, while the page is visible. */
export function followChanges(): void {
  document.addEventListener('visibilitychange', listen)
  connection.subscribe(listen)
}

function listen(): void {
  const { state } = connection.peek()
  // A reader who comes back may have opened a session in another tab.
  if (!document.hidden && state === 'locked') void findSession()
  if (document.hidden || state !== 'connected') close()
  else if (!source) open()
}

function open(): void {
  // A server that was started again may have other models. The banner shows a failure.
  void loadModels().catch(() => undefined)
  source = new EventSource('api/changes')
  // Changes from before are not repeated.
  source.addEventListener('ready', () => {
    void loadChats()
    void refreshChat()
  })
  for (const name of ['changed', 'deleted'])
    source.addEventListener(name, ({ data }) => apply(JSON.parse(String(data)) as ChangeJson))
  source.addEventListener('error', () => {
    close()
    lose()
  })
}

function close(): void {
  source?.close()
  source = undefined
}

function apply(change: ChangeJson): void {
  if (change.type === 'changed') showChanged(change.conversation)
  else if (change.type === 'deleted') {
    removeChat(change.id)
    if (openChat.value?.id === change.id) void refreshChat()
  }
}

function showChanged(chat: ListedConversationJson): void {
  const { value: shown } = openChat
  putChat(chat)
  showShelf(chat.id, chat.shelf ?? null)
  // It was deleted, and is brought back.
  if (!shown && chat.id === chatId.peek()) moves.value++
  if (shown?.id !== chat.id || shown.isBusy.value) return
  const { turn, updatedAt } = shown.info.value
  if (chat.turn || turn || chat.updatedAt !== updatedAt) void refreshChat()
}
