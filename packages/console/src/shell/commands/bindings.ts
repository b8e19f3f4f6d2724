import type { Signal } from '@preact/signals'
import { stored } from '../storage.ts'
import type { Command } from './commands.ts'

/** The keys that the reader has chosen, by the name of the command. Empty: the command has none. */
const chosen: Signal<Readonly<Record<string, string>>> = stored<Readonly<Record<string, string>>>('keys', {})

/** Whether the command key stands for Ctrl. */
export const isMac: boolean = /Mac|iP(?:hone|ad)/.test(navigator.platform)

/** The keys of a command, such as `Ctrl+Shift+O`; empty if it has none. */
export function keysFor({ name, keys = '' }: Command): string {
  return chosen.value[name] ?? keys
}

/** Gives a command other keys; without keys, those that it has by default. */
export function setKeys({ name, keys = '' }: Command, next: string | undefined): void {
  const { [name]: _, ...others } = chosen.value
  chosen.value = next === undefined || next === keys ? others : { ...others, [name]: next }
}

export function isChanged({ name }: Command): boolean {
  return name in chosen.value
}

/** The keys of an event as a command names them. On a Mac, Ctrl is the command key. */
export function keysOf(event: KeyboardEvent): string {
  const main = isMac ? event.metaKey : event.ctrlKey
  return `${main ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${event.shiftKey ? 'Shift+' : ''}${keyOf(event)}`
}

/** The key, on a keyboard whose letters are not Latin by its place on the usual one. */
function keyOf({ code, key }: KeyboardEvent): string {
  if (code === 'Semicolon') return ';'
  const isForeign = key.length === 1 && /[^\x00-\x7f]/.test(key)
  const place = /^Key([A-Z])$/.exec(code)?.[1] ?? { Period: '.', Slash: '/' }[code]
  if (isForeign && place) return place
  return key.length === 1 ? key.toUpperCase() : key
}

/** Whether a key belongs to an input method: Enter then chooses a word, and Escape gives one up. */
export function isComposing(event: KeyboardEvent): boolean {
  // Safari ends the composition before the event, which has this code only.
  return event.isComposing || event.keyCode === 229
}

/** Why keys cannot be those of a command. Undefined if they can. */
export function refusal(keys: string): string | undefined {
  if (/^(?:.*\+)?(?:Control|Meta|Alt|Shift|AltGraph|Dead|Process)$/.test(keys)) return 'Press another key with it'
  if (/^(?:Shift\+)?(?:Tab|Enter|Backspace|Delete|Arrow\w+|Home|End| )$/.test(keys)) return 'This key has a use in text'
  // A letter alone would run while someone types or speaks (WCAG 2.1.4).
  if (/^(?:Shift\+)?.$/u.test(keys)) return `Use it with ${isMac ? '⌘ or ⌥' : 'Ctrl or Alt'}`
  return undefined
}

/** Keys as this machine writes them. */
export function keyNames(keys: string): string[] {
  const arrows = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }
  const names: Record<string, string> = isMac ? { ...arrows, Ctrl: '⌘', Alt: '⌥', Shift: '⇧' } : arrows
  return keys === '' ? [] : keys.split('+').map((key) => names[key] ?? key)
}
