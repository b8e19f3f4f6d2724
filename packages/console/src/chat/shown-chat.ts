import { type Signal, effect, signal } from '@preact/signals'
import { ApiFailure } from '../api/http.ts'
import { chatId } from '../shell/router.ts'
import type { OpenChat } from './open-chat.ts'

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

/** Reads the open chat again. One that was deleted is left to the page, which says so. */
export async function refreshChat(): Promise<void> {
  const open = openChat.peek()
  await open?.refresh().catch((error: unknown) => {
    if (!(error instanceof ApiFailure) || error.status !== 404 || openChat.peek() !== open) return
    showChat(undefined)
    moves.value++
  })
}
