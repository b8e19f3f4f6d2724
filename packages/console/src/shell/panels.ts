import { type Signal, signal } from '@preact/signals'
import { stored } from './storage.ts'

const hasRoomForList = matchMedia('(min-width: 641px)')
const isWide = matchMedia('(min-width: 1101px)').matches

/** Whether the list of chats is shown. On a narrow screen it covers the page. */
export const isListOpen: Signal<boolean> = signal(hasRoomForList.matches)

// A window that becomes narrow, or is zoomed, shows the chat and not the list in its place.
hasRoomForList.addEventListener('change', () => (isListOpen.value = hasRoomForList.matches))

/** Whether the inspector is shown. */
export const isInspectorOpen: Signal<boolean> = isWide ? stored('inspector', false) : signal(false)

/** The dialog that is open. */
export const dialog: Signal<'palette' | 'help' | 'chat' | undefined> = signal(undefined)

let opener: Element | null = null

export function openInspector(): void {
  opener = document.activeElement
  isInspectorOpen.value = true
}

/** Closes the inspector. A focus inside returns to where it was. */
export function closeInspector(): void {
  const hadFocus = document.querySelector('.inspector')?.contains(document.activeElement)
  isInspectorOpen.value = false
  if (!hadFocus) return
  const target = opener?.isConnected ? opener : document.querySelector('#composer')
  ;(target as HTMLElement | null)?.focus()
}

export function toggleInspector(): void {
  if (isInspectorOpen.peek()) closeInspector()
  else openInspector()
}

/** Uncovers the chat that was chosen from the list. The focus must not stay in the list, which is hidden. */
export function uncoverChat(): void {
  if (hasRoomForList.matches) return
  isListOpen.value = false
  document.querySelector<HTMLElement>('#main')?.focus()
}
