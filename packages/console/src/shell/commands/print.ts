import { options } from 'preact'
import { openChat } from '../../chat/shown-chat.ts'
import { route } from '../router.ts'

/** Prints all messages of a chat, of which the page has the newest. */
export async function printChat(): Promise<void> {
  if (route.value.name === 'chat') await openChat.value?.loadAll()
  requestAnimationFrame(() => print())
}

/** Draws messages that are far from the view when the menu of the browser prints, which waits for no later rendering. */
export function drawForPrint(): void {
  addEventListener('beforeprint', () => {
    options.debounceRendering = (render) => render()
    if (openChat.value) openChat.value.isWhole.value = true
    delete options.debounceRendering
  })
}
