import { type Signal, effect, signal } from '@preact/signals'

/** A signal whose value the browser keeps. Without storage it lasts as long as the page. */
export function stored<T>(name: string, initial: T): Signal<T> {
  const key = `colloquy.${name}`
  const value = signal<T>(read<T>(key) ?? initial)
  let isFirst = true
  effect(() => {
    const current = value.value
    if (!isFirst) write(key, current === initial ? undefined : current)
    isFirst = false
  })
  return value
}

function read<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(key)
    return text === null ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}

function write(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // The storage is full or forbidden: the value lasts as long as the page.
  }
}
