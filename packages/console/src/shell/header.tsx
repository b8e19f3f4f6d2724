import type { VNode } from 'preact'
import { models } from '../chat/models.ts'
import { dialog, isListOpen } from './panels.ts'
import { route } from './router.ts'
import { nextTheme, theme } from './theme.ts'

const views = [
  { name: 'chat', path: '/', label: 'Chat' },
  { name: 'usage', path: '/usage', label: 'Usage' },
  { name: 'requests', path: '/requests', label: 'Requests' },
  { name: 'settings', path: '/settings', label: 'Settings' },
]

/** The views of the console, the search, and the model that answers. */
export function Header(): VNode {
  const isChat = route.value.name === 'chat'
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
          ☰
        </button>
      )}
      <a href="/" class="brand">
        colloquy
      </a>
      <nav aria-label="Views">
        {views.map(({ name, path, label }) => (
          <a key={name} href={path} aria-current={route.value.name === name ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <span class="grow" />
      <span class="soft small engine">{models.value ? `● ${models.value.defaults.model ?? ''}` : ''}</span>
      <button type="button" class="search" onClick={() => (dialog.value = 'palette')}>
        <span class="wide">⌕ Search </span>
        <kbd>Ctrl K</kbd>
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={`Theme: ${theme.value}`}
        title={`Theme: ${theme.value}`}
        onClick={nextTheme}
      >
        {{ system: '◐', light: '☀', dark: '☾' }[theme.value]}
      </button>
      <button type="button" class="quiet" aria-label="Keys" title="Keys" onClick={() => (dialog.value = 'help')}>
        ?
      </button>
    </header>
  )
}
