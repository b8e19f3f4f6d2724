import { type Signal, effect, signal } from '@preact/signals'

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
  of(name: string): T | undefined
  /**
   * Sets a value, or removes it if it is undefined: if `replaced` is given, only that one. Values of other names that other tabs
   * have set meanwhile stay.
   */
  set(name: string, value: T | undefined, replaced?: T): void
}

/** The most values of a record. The one that was set first is forgotten for the next. */
const maxValues = 200

export function storedRecord<T>(name: string, kind: Kind = 'localStorage'): StoredRecord<T> {
  const values = stored<Readonly<Record<string, T>>>(name, {}, kind)
  const last = (): Readonly<Record<string, T>> =>
    (unwritten.has(name) ? undefined : lastStored<Record<string, T>>(name, kind)) ?? values.peek()
  return {
    of: (member) => values.value[member],
    set(member, value, replaced) {
      const { [member]: other, ...others } = last()
      if (value === undefined && replaced !== undefined && !isSame(other, replaced)) return
      const newest = Object.entries(others).slice(-maxValues)
      values.value = Object.fromEntries(value === undefined ? newest : [...newest, [member, value]])
    },
  }
}

/** Values that all tabs have, of which a tab keeps those that it has set: another may set others meanwhile. */
export function tabRecord<T>(name: string): StoredRecord<T> {
  const shared = storedRecord<T>(name)
  const own = storedRecord<T | null>(`own.${name}`, 'sessionStorage')
  const of = (member: string): T | undefined => {
    const mine = own.of(member)
    return mine === undefined ? shared.of(member) : (mine ?? undefined)
  }
  return {
    of,
    set(member, value) {
      const replaced = of(member)
      own.set(member, value ?? null)
      shared.set(member, value, replaced)
    },
  }
}

function isSame(value: unknown, other: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(other)
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
