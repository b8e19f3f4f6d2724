import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { call } from '../../api/http.ts'
import type { FoundMessageJson } from '../../api/types.ts'
import { visibleText } from '../../format.ts'
import { chats, openChat } from '../../chat/chats.ts'
import { commands } from './commands.ts'
import { Dialog, closeDialog } from '../parts/dialog.tsx'
import { isComposing, keyNames, keysFor } from './bindings.ts'
import { chatId, navigate } from '../router.ts'

interface Hit {
  key: string
  kind: 'command' | 'chat' | 'message'
  text: string
  detail: string
  choose: () => void
}

const pauseMs = 150
const maxChats = 8
/** The chats that are offered before anything is typed. */
const recentChats = 5

/** Finds commands, chats by title, and messages by their words. */
export function Palette(): VNode {
  const words = useSignal('')
  const found = useSignal<Hit[]>([])
  const index = useSignal(0)
  useEffect(() => {
    index.value = 0
    return searchLater(words.value, (hits) => (found.value = hits))
  }, [words.value])
  const hits = [...matching(words.value), ...found.value]
  const choose = (hit: Hit | undefined): void => {
    if (!hit) return
    closeDialog()
    hit.choose()
  }
  return (
    <Dialog title="Search and commands" isBare>
      <input
        role="combobox"
        aria-expanded="true"
        aria-controls="hits"
        aria-activedescendant={hits.length > 0 ? `hit-${index.value}` : undefined}
        aria-label="Search chats and commands"
        placeholder="Search messages, chats and commands"
        value={words.value}
        onInput={({ currentTarget }) => (words.value = currentTarget.value)}
        onKeyDown={(event) => {
          if (isComposing(event)) return
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
          if (step) index.value = (index.value + step + hits.length) % Math.max(1, hits.length)
          else if (event.key === 'Enter') choose(hits[index.value])
          else return
          event.preventDefault()
        }}
      />
      <ul id="hits" role="listbox" aria-label="Results" class="hits">
        {hits.map((hit, place) => (
          <li
            key={hit.key}
            id={`hit-${place}`}
            role="option"
            aria-selected={place === index.value}
            onClick={() => choose(hit)}
            ref={(element) => void (place === index.value && element?.scrollIntoView({ block: 'nearest' }))}
          >
            <span class="grow" dir="auto">
              {visibleText(hit.text)}
            </span>
            <span class="soft small">{visibleText(hit.detail)}</span>
          </li>
        ))}
      </ul>
      {words.value.trim() !== '' && hits.length === 0 && <p class="soft">Nothing contains “{words.value}”.</p>}
    </Dialog>
  )
}

/** The chats and commands whose names have the words; without words the chats that were used last, and all commands. */
function matching(text: string): Hit[] {
  const words = text.trim().toLowerCase()
  const isMatch = (name: string): boolean => name.toLowerCase().includes(words)
  const named = commands
    .filter(({ name, worksInDialogs, needsChat }) => isMatch(name) && !worksInDialogs && (!needsChat || chatId.value))
    .map((command): Hit => ({
      key: command.name,
      kind: 'command',
      text: command.name,
      detail: keyNames(keysFor(command)).join(' ') || 'command',
      choose: command.run,
    }))
  const titled = (chats.value ?? [])
    .filter(({ id, title = '' }) => isMatch(title) && (words !== '' || id !== openChat.value?.id))
    .slice(0, words === '' ? recentChats : maxChats)
    .map(({ id, title = 'Untitled' }): Hit => ({
      key: id,
      kind: 'chat',
      text: title,
      detail: 'chat',
      choose: () => navigate(`c/${encodeURIComponent(id)}`),
    }))
  return [...titled, ...named]
}

/** Searches the messages after a pause in typing. Returns a function that gives the search up. */
function searchLater(text: string, show: (hits: Hit[]) => void): () => void {
  if (text.trim().length < 2) {
    show([])
    return () => undefined
  }
  const controller = new AbortController()
  const timer = setTimeout(() => {
    call<{ data: FoundMessageJson[] }>(
      'GET',
      `api/conversations/search?q=${encodeURIComponent(text)}&limit=20`,
      undefined,
      controller.signal,
    )
      .then(({ data }) => show(data.map(hitOf)))
      .catch(() => controller.signal.aborted || show([]))
  }, pauseMs)
  return () => {
    clearTimeout(timer)
    controller.abort()
  }
}

function hitOf({ conversationId, messageId, title = '', excerpt }: FoundMessageJson): Hit {
  return {
    key: `${conversationId} ${messageId}`,
    kind: 'message',
    text: excerpt,
    detail: title,
    choose: () => navigate(`c/${encodeURIComponent(conversationId)}?m=${encodeURIComponent(messageId)}`),
  }
}
