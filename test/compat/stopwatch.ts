import { AsyncLocalStorage } from 'node:async_hooks'

/** What one scenario's client does behind the caller's back. */
export interface Stopwatch {
  /** The delays of the timers that went off, in order: waits between tries, and time limits. */
  waits: number[]
  /** Rejections that nobody handled, which would end the program. */
  unhandled: unknown[]
  /** Every timer, so that one which outlives the scenario cannot keep the process waiting. */
  timers: NodeJS.Timeout[]
  hurried: boolean
}

const current = new AsyncLocalStorage<Stopwatch>()
const hurry = 50

let installed = false

/** Runs something with its timers and rejections watched. From the first time on nothing is random in this process. */
export function watched<T>(stopwatch: Stopwatch, run: () => T): T {
  if (!installed) install()
  installed = true
  return current.run(stopwatch, run)
}

function rounded(ms: number): number {
  const step = ms < 1000 ? 5 : 100
  return Math.round(ms / step) * step
}

function install(): void {
  Math.random = () => 0.5
  const original = globalThis.setTimeout
  function setTimeout(callback: (...args: unknown[]) => void, delay = 0, ...args: unknown[]): NodeJS.Timeout {
    const stopwatch = current.getStore()
    if (!stopwatch) return original(callback, delay, ...args)
    const ring = (): void => {
      stopwatch.waits.push(rounded(delay))
      callback(...args)
    }
    const timer = original(ring, stopwatch.hurried ? delay / hurry : delay)
    stopwatch.timers.push(timer)
    return timer
  }
  globalThis.setTimeout = Object.assign(setTimeout, original) as typeof globalThis.setTimeout

  // The test runner would take them for failures of the test.
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (error, promise) => {
    const stopwatch = current.getStore()
    if (stopwatch) stopwatch.unhandled.push(error)
    else for (const other of others) other(error, promise)
  })
}
