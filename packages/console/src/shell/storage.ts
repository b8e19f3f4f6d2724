import { type Signal, effect, signal } from '@preact/signals'

/** A signal whose value the browser keeps. Without storage it lasts as long as the page. */
export function stored<T>(name: string, initial: T): Signal<T> {
  const key = keyOf(name)
  const value = signal<T>(lastStored(name) ?? initial)
  let isFirst = true
  effect(() => {
    const current = value.value
    if (!isFirst) write(key, current === initial ? undefined : current)
    isFirst = false
  })
  return value
}

/** The value that this or another tab stored last. */
export function lastStored<T>(name: string): T | undefined {
  try {
    const text = localStorage.getItem(keyOf(name))
    return text === null ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}

function keyOf(name: string): string {
  return `colloquy.${name}`
}

function write(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // The storage is full or forbidden: the value lasts as long as the page.
  }
}
