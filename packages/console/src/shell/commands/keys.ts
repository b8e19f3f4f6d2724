import { type Command, commands } from './commands.ts'
import { dialog } from '../panels.ts'

const isMac = /Mac|iP(?:hone|ad)/.test(navigator.platform)

/** Runs the command whose keys are pressed. */
export function listenForKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return
    const pressed = keysOf(event)
    const command = commands.find(({ keys }) => keys === pressed)
    // In a dialog, Escape closes it; fields have keys of their own.
    if (!command || (dialog.value && command.keys !== 'Ctrl+K')) return
    if (command.keys === 'Escape' && isField(event.target) && isOpenEditor(event.target)) return
    if (command.keys?.startsWith('Alt+') && isField(event.target)) return
    event.preventDefault()
    command.run()
  })
}

function keysOf(event: KeyboardEvent): string {
  const main = isMac ? event.metaKey : event.ctrlKey
  const key = event.code === 'Semicolon' ? ';' : event.key.length === 1 ? event.key.toUpperCase() : event.key
  return `${main ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${event.shiftKey ? 'Shift+' : ''}${key}`
}

function isField(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

function isOpenEditor(target: HTMLElement): boolean {
  return target.id !== 'composer'
}

/** The keys of a command as this machine writes them. */
export function keysText({ keys = '' }: Command): string[] {
  const names: Record<string, string> = isMac
    ? { Ctrl: '⌘', Alt: '⌥', Shift: '⇧', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }
    : { ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }
  return keys.split('+').map((key) => names[key] ?? key)
}
