import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { call } from '../../api/http.ts'
import type { FoundMessageJson, ListedConversationJson } from '../../api/types.ts'
import { visibleText } from '../../format.ts'
import { chats, findChats } from '../../chat/list/chats.ts'
import { openChat } from '../../chat/shown-chat.ts'
import { commands } from './commands.ts'
import { Dialog, closeDialog } from '../parts/dialog.tsx'
import { isComposing, keyNames, keysFor } from './bindings.ts'
import { chatId, navigate } from '../router.ts'

interface Hit {
  key: string
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
  const found = useSignal<Found>(nothing)
  const index = useSignal(0)
  useEffect(() => {
    index.value = 0
    return searchLater(words.value, (next) => (found.value = next))
  }, [words.value])
  const known = matching(words.value)
  const { hits: others, failure, isSearching } = found.value
  const hits = [...known, ...others.filter(({ key }) => known.every((hit) => hit.key !== key))]
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
      {failure !== undefined && (
        <p class="failure" role="alert">
          Cannot search messages: {failure}
        </p>
      )}
      {isSearching && <p class="soft loading">Searching …</p>}
      {!failure && !isSearching && words.value.trim() !== '' && hits.length === 0 && (
        <p class="soft">Nothing contains “{words.value}”.</p>
      )}
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
      text: command.name,
      detail: keyNames(keysFor(command)).join(' ') || 'command',
      choose: command.run,
    }))
  const titled = (chats.value ?? [])
    .filter(({ id, title = '' }) => isMatch(title) && (words !== '' || id !== openChat.value?.id))
    .slice(0, words === '' ? recentChats : maxChats)
  return [...titled.map(chatHit), ...named]
}

/** The chats and messages that the server has found so far. */
interface Found {
  hits: Hit[]
  failure?: string
  isSearching?: boolean
}

const nothing: Found = { hits: [] }

/** Searches titles and messages after a pause in typing. Returns a function that gives the search up. */
function searchLater(text: string, show: (found: Found) => void): () => void {
  const words = text.trim()
  if (words.length < 2) {
    show(nothing)
    return () => undefined
  }
  show({ hits: [], isSearching: true })
  const controller = new AbortController()
  const { signal } = controller
  const search = async (): Promise<Found> => {
    const path = `api/conversations/search?q=${encodeURIComponent(words)}&limit=20`
    const [titled, found] = await Promise.all([
      findChats(words, { limit: maxChats, signal }),
      call<{ data: FoundMessageJson[] }>('GET', path, undefined, signal),
    ])
    return { hits: [...titled.data.map(chatHit), ...found.data.map(messageHit)] }
  }
  const timer = setTimeout(() => {
    search()
      .then(show)
      .catch(({ message }: Error) => signal.aborted || show({ hits: [], failure: message }))
  }, pauseMs)
  return () => {
    clearTimeout(timer)
    controller.abort()
  }
}

function chatHit({ id, title = 'Untitled' }: ListedConversationJson): Hit {
  return {
    key: id,
    text: title,
    detail: 'chat',
    choose: () => navigate(`c/${encodeURIComponent(id)}`),
  }
}

function messageHit({ conversationId, messageId, title = '', excerpt }: FoundMessageJson): Hit {
  return {
    key: `${conversationId} ${messageId}`,
    text: excerpt,
    detail: title,
    choose: () => navigate(`c/${encodeURIComponent(conversationId)}?m=${encodeURIComponent(messageId)}`),
  }
}
