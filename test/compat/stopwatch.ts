import { AsyncLocalStorage } from 'node:async_hooks'

/** The timers and unhandled rejections of a scenario. */
export interface Stopwatch {
  /** The delays of the expired timers, in order: delays between attempts, and timeouts. */
  waits: number[]
  /** Unhandled rejections, which would end the program. */
  unhandled: unknown[]
  /** Every timer, so that one that outlives the scenario cannot keep the process alive. */
  timers: NodeJS.Timeout[]
  hurried: boolean
}

const current = new AsyncLocalStorage<Stopwatch>()
const hurry = 50

/**
 * The parts of a timer of this many milliseconds or more. There is a turn of the event loop between two of them, so a request
 * reaches the server before its time is over, however busy the machine is.
 */
const parts = 20

let installed = false

/** Records timers and rejections during a call. After the first call, nothing in this process is random. */
export function watched<T>(stopwatch: Stopwatch, run: () => T): T {
  if (!installed) install()
  installed = true
  return current.run(stopwatch, run)
}

/**
 * Whether the timer only looks at a silent stream, or belongs to Node's fetch, which looks at its connections every half a
 * second. Whether such timers expire depends on how fast the machine is.
 */
function isLook(): boolean {
  return /idle-watch\.ts|internal\/deps\/undici/.test(new Error().stack ?? '')
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
    if (!stopwatch || isLook()) return original(callback, delay, ...args)
    const ring = (): void => {
      stopwatch.waits.push(rounded(delay))
      callback(...args)
    }
    const ms = stopwatch.hurried ? delay / hurry : delay
    let left = ms < parts ? 1 : parts
    const timer = setInterval(() => {
      if (--left > 0) return
      clearInterval(timer)
      ring()
    }, ms / left)
    stopwatch.timers.push(timer)
    return timer
  }
  globalThis.setTimeout = Object.assign(setTimeout, original) as typeof globalThis.setTimeout

  // The test runner would report them as failures of the test.
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (error, promise) => {
    const stopwatch = current.getStore()
    if (stopwatch) stopwatch.unhandled.push(error)
    else for (const other of others) other(error, promise)
  })
}
