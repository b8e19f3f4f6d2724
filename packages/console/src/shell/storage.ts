import { type ReadonlySignal, type Signal, effect, signal } from '@preact/signals'

/** `localStorage` lasts, and all tabs have it. `sessionStorage` lasts as long as the tab. */
type Kind = 'localStorage' | 'sessionStorage'

/** A signal whose value the browser keeps. Without storage it lasts as long as the page. */
export function stored<T>(name: string, initial: T, kind: Kind = 'localStorage'): Signal<T> {
  const value = signal<T>(lastStored<T>(name, kind) ?? initial)
  let isFirst = true
  effect(() => {
    const current = value.value
    if (!isFirst) write(name, kind, current === initial ? undefined : current)
    isFirst = false
  })
  return value
}

/** Values by their names, which the browser keeps together. */
export interface StoredRecord<T> {
  readonly values: ReadonlySignal<Readonly<Record<string, T>>>
  /** Sets a value, or removes it if it is undefined. Values that other tabs have set meanwhile stay. */
  set(name: string, value: T | undefined): void
}

/** The most values of a record. The one that was set first is forgotten for the next. */
const maxValues = 200

export function storedRecord<T>(name: string, kind: Kind = 'localStorage'): StoredRecord<T> {
  const values = stored<Readonly<Record<string, T>>>(name, {}, kind)
  return {
    values,
    set(member, value) {
      const last = unwritten.has(name) ? undefined : lastStored<Record<string, T>>(name, kind)
      const { [member]: _, ...others } = last ?? values.peek()
      const newest = Object.entries(others).slice(-maxValues)
      values.value = Object.fromEntries(value === undefined ? newest : [...newest, [member, value]])
    },
  }
}

/** The value that this or another tab stored last. */
function lastStored<T>(name: string, kind: Kind): T | undefined {
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

/** The names of values that could not be written. */
const unwritten = new Set<string>()

function write(name: string, kind: Kind, value: unknown): void {
  try {
    if (value === undefined) globalThis[kind].removeItem(keyOf(name))
    else globalThis[kind].setItem(keyOf(name), JSON.stringify(value))
    unwritten.delete(name)
  } catch {
    // The storage is full or forbidden: the value lasts as long as the page.
    unwritten.add(name)
  }
}
