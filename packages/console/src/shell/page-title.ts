import { effect } from '@preact/signals'
import { openChat } from '../chat/shown-chat.ts'
import { views } from './header.tsx'
import { route } from './router.ts'

/** Names what is shown in the title of the page, which tabs, bookmarks and the history of the browser show. */
export function keepPageTitle(): void {
  effect(() => {
    const { name } = route.value
    const title = name === 'chat' ? openChat.value?.title.value : views.find((view) => view.name === name)?.label
    document.title = title ? `${title} · Colloquy` : 'Colloquy'
  })
}
