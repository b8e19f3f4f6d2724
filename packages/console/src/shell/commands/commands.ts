import type { Shelf } from '../../api/types.ts'
import { chats, deleteChat, moveChat } from '../../chat/list/chats.ts'
import type { OpenChat } from '../../chat/open-chat.ts'
import { openChat, openedChat } from '../../chat/shown-chat.ts'
import { contentOf, textOf } from '../../chat/message/content-text.ts'
import { copyText } from '../copy.ts'
import { closeInspector, dialog, isInspectorOpen, isListOpen, toggleInspector } from '../panels.ts'
import { navigate } from '../router.ts'
import { notify } from '../status.tsx'
import { nextTheme } from '../theme.ts'
import { printChat } from './print.ts'

/** Something that a key or the palette does. */
export interface Command {
  name: string
  /** The keys, such as `Ctrl+Shift+O`. On a Mac, Ctrl is the command key. */
  keys?: string
  /** Whether the keys work while a dialog is open. */
  worksInDialogs?: true
  /** The palette hides it unless the address names a chat. */
  needsChat?: true
  run: () => void
}

/** Everything that has a key or a line in the palette, in the order of the help. */
export const commands: readonly Command[] = [
  {
    name: 'Search and commands',
    keys: 'Ctrl+K',
    worksInDialogs: true,
    run: () => (dialog.value = dialog.value === 'palette' ? undefined : 'palette'),
  },
  { name: 'New chat', keys: 'Ctrl+Shift+O', run: () => navigate('./') },
  { name: 'Show or hide the chats', keys: 'Ctrl+B', run: () => (isListOpen.value = !isListOpen.value) },
  { name: 'Show or hide the inspector', keys: 'Ctrl+.', run: toggleInspector },
  { name: 'Stop the reply', keys: 'Escape', run: stopOrClose },
  { name: 'Edit the last message', keys: 'Ctrl+ArrowUp', run: () => lastOf('[data-edit]')?.click() },
  { name: 'Previous version', keys: 'Alt+ArrowLeft', run: () => lastOf('[aria-label="Previous version"]')?.click() },
  { name: 'Next version', keys: 'Alt+ArrowRight', run: () => lastOf('[aria-label="Next version"]')?.click() },
  { name: 'Copy the last reply', keys: 'Ctrl+Shift+C', run: copyReply },
  { name: 'Copy the last code', keys: 'Ctrl+Shift+;', run: () => lastOf('[data-copy-code]')?.click() },
  { name: 'Move to the next region', keys: 'F6', run: nextRegion },
  { name: 'Keys', keys: 'Ctrl+/', run: () => (dialog.value = 'help') },
  { name: 'Print the chat', keys: 'Ctrl+P', run: () => void printChat() },
  ofChat('Rename the chat', () => lastOf('button.title')?.click()),
  ofChat('Pin or unpin the chat', (chat) => toggleShelf(chat, 'pinned')),
  ofChat('Archive or unarchive the chat', (chat) => toggleShelf(chat, 'archived')),
  ofChat('Delete the chat', (chat) => deleteChat(chat.info.value)),
  ofChat('Settings of the chat', () => (dialog.value = 'chat')),
  ofChat('Undo the last turn', (chat) => chat.undo()),
  { name: 'Usage', run: () => navigate('usage') },
  { name: 'Requests', run: () => navigate('requests') },
  { name: 'Settings', run: () => navigate('settings') },
  { name: 'Change the theme', run: nextTheme },
]

/** A command of the chat that the address names. While that chat is opening, the command waits. */
function ofChat(name: string, run: (chat: OpenChat) => unknown): Command {
  return { name, needsChat: true, run: () => void openedChat().then((chat) => chat && run(chat)) }
}

/** Puts a chat on a shelf, or takes it back. */
function toggleShelf({ info }: OpenChat, shelf: Shelf): Promise<void> {
  return moveChat(info.value, info.value.shelf === shelf ? null : shelf)
}

function stopOrClose(): void {
  const chat = openChat.value
  if (chat?.isBusy.value) void chat.stop()
  else if (isInspectorOpen.value) closeInspector()
}

function copyReply(): void {
  const reply = openChat.value?.messages.value.findLast(({ role }) => role === 'assistant')
  if (reply) void copyText(textOf(contentOf(reply)), 'Reply copied')
  else notify(chats.value?.length ? 'This chat has no reply yet' : 'There is no reply yet')
}

function lastOf(selector: string): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>(selector)].at(-1)
}

const regions = 'header.top, nav.chats, .transcript, main, form, .inspector'
const stops =
  'header.top a, nav.chats a, .transcript[tabindex], main:not(:has(#composer)), #composer, .inspector [role=tab]'

/** Moves to the first stop in the header, the list, the messages, the composer or the inspector, whichever is next. */
function nextRegion(): void {
  const visible = [...document.querySelectorAll<HTMLElement>(stops)].filter((stop) => stop.checkVisibility())
  const firsts = visible.filter((stop, index) => stop.closest(regions) !== visible[index - 1]?.closest(regions))
  const current = firsts.findIndex((stop) => stop.closest(regions)?.contains(document.activeElement))
  firsts[(current + 1) % firsts.length]?.focus()
}
