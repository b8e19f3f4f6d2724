import type { VNode } from 'preact'
import { newChatModel } from '../chat/new-chat.ts'
import { modelNamed } from '../chat/models.ts'
import { openChat } from '../chat/shown-chat.ts'
import { keyNames, keysFor } from './commands/bindings.ts'
import { commands } from './commands/commands.ts'
import { Icon } from './parts/icon.tsx'
import { dialog, isListOpen } from './panels.ts'
import { type Route, route } from './router.ts'
import { nextTheme, theme } from './theme.ts'

/** The views of the console, by the names of their routes. */
export const views: readonly { name: Route['name']; path: string; label: string }[] = [
  { name: 'chat', path: './', label: 'Chat' },
  { name: 'usage', path: 'usage', label: 'Usage' },
  { name: 'requests', path: 'requests', label: 'Requests' },
  { name: 'settings', path: 'settings', label: 'Settings' },
]

/** The views of the console, the search, and the engine of new chats. */
export function Header(): VNode {
  const isChat = route.value.name === 'chat'
  // From other views back to the chat that was left.
  const chatPath = isChat || !openChat.value ? './' : `c/${encodeURIComponent(openChat.value.id)}`
  return (
    <header class="top">
      {isChat && (
        <button
          type="button"
          class="quiet"
          aria-expanded={isListOpen.value}
          aria-label="Chats"
          onClick={() => (isListOpen.value = !isListOpen.value)}
        >
          <Icon name="menu" />
        </button>
      )}
      <a href="./" class="brand">
        colloquy
      </a>
      <nav aria-label="Views">
        {views.map(({ name, path, label }) => (
          <a
            key={name}
            href={name === 'chat' ? chatPath : path}
            aria-current={route.value.name === name ? 'page' : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      <span class="grow" />
      <EngineBadge />
      <SearchButton />
      <button
        type="button"
        class="quiet"
        aria-label={`Theme: ${theme.value}`}
        title={`Theme: ${theme.value}`}
        onClick={nextTheme}
      >
        <Icon name={({ system: 'themeSystem', light: 'themeLight', dark: 'themeDark' } as const)[theme.value]} />
      </button>
      <button type="button" class="quiet" aria-label="Keys" title="Keys" onClick={() => (dialog.value = 'help')}>
        <Icon name="help" />
      </button>
    </header>
  )
}

function SearchButton(): VNode {
  const [search] = commands
  return (
    <button type="button" class="search" onClick={() => search?.run()}>
      <Icon name="search" />
      <span class="label">Search</span>
      <kbd class="wide" aria-hidden="true">
        {search && keyNames(keysFor(search)).join(' ')}
      </kbd>
    </button>
  )
}

/** Whether new chats are answered on this machine or over the network. */
function EngineBadge(): VNode | undefined {
  const model = newChatModel.value
  if (model === undefined) return undefined
  const { displayName = model, isLocal = false } = modelNamed(model) ?? {}
  return (
    <span class="small soft engine" title={`New chats are answered by ${displayName}`}>
      <span class={`dot${isLocal ? ' local' : ''}`} aria-hidden="true" />
      {isLocal ? 'on this machine' : 'over the network'}
    </span>
  )
}
