import { type Signal, effect, signal } from '@preact/signals'

/** `localStorage` lasts, and all tabs have it. `sessionStorage` lasts as long as the tab. */
type Kind = 'localStorage' | 'sessionStorage'

/** A signal whose value the browser keeps. Without storage it lasts as long as the page. */
export function stored<T>(name: string, initial: T, kind: Kind = 'localStorage'): Signal<T> {
  const value = signal<T>(lastStored(name, kind) ?? initial)
  let isFirst = true
  effect(() => {
    const current = value.value
    if (!isFirst) write(name, kind, current === initial ? undefined : current)
    isFirst = false
  })
  return value
}

/** The value that this or another tab stored last. */
export function lastStored<T>(name: string, kind: Kind = 'localStorage'): T | undefined {
  try {
    const text = globalThis[kind].getItem(keyOf(name))
    return text === null ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}

function keyOf(name: string): string {
  return `colloquy.${name}`
}

function write(name: string, kind: Kind, value: unknown): void {
  try {
    if (value === undefined) globalThis[kind].removeItem(keyOf(name))
    else globalThis[kind].setItem(keyOf(name), JSON.stringify(value))
  } catch {
    // The storage is full or forbidden: the value lasts as long as the page.
  }
}
