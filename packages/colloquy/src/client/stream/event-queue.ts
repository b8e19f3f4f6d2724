import { APIUserAbortError } from '../../protocol/types/error.ts'

interface Waiting<Event> {
  resolve: (result: IteratorResult<Event>) => void
  reject: (error: Error) => void
}

/** An iterator over the events that are pushed into it, buffered until they are read. */
export class EventQueue<Event> implements AsyncIterator<Event> {
  readonly #leave: (hasReadAll: boolean) => void
  /** The events, and callbacks for when the events before them have been handled. */
  #events: (Event | (() => void))[] = []
  #next = 0
  #waiting: Waiting<Event>[] = []
  #ended = false
  /** Thrown by the next read, once. */
  #failure: Error | undefined

  /** Calls `leave` when the reader leaves its loop, with whether it has read all events so far. */
  constructor(leave: (hasReadAll: boolean) => void) {
    this.#leave = leave
  }

  push(event: Event): void {
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve({ value: event, done: false })
    else this.#events.push(event)
  }

  /** Calls back when the reader has handled the events so far: when it asks for the next one. */
  whenHandled(callback: () => void): void {
    this.#events.push(callback)
  }

  /** Ends the queue after its buffered events. An abort discards those. */
  end(failure: Error | undefined): void {
    this.#ended = true
    const waiting = this.#waiting.splice(0)
    for (const { resolve, reject } of waiting) {
      if (failure) reject(failure)
      else resolve({ value: undefined, done: true })
    }
    if (waiting.length === 0) this.#failure = failure
    if (failure instanceof APIUserAbortError) this.#clear()
  }

  next(): Promise<IteratorResult<Event>> {
    if (this.#next < this.#events.length) {
      const value = this.#events[this.#next++]!
      if (this.#next === this.#events.length) this.#clear()
      if (typeof value !== 'function') return Promise.resolve({ value, done: false })
      ;(value as () => void)()
      return this.next()
    }
    const failure = this.#failure
    this.#failure = undefined
    if (failure) return Promise.reject(failure)
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async return(): Promise<IteratorResult<Event>> {
    const hasReadAll = this.#next >= this.#events.length
    this.#ended = true
    this.#clear()
    this.#leave(hasReadAll)
    return { value: undefined, done: true }
  }

  #clear(): void {
    this.#events = []
    this.#next = 0
  }
}
