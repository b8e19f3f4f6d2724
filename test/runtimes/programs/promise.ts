// Uses only the language, because browsers and workers have no test runner.

/** The environment of a promise. */
export interface Given {
  /** The address of the server of `engine.ts`; its key is `sk-runtimes`. */
  baseURL: string
  /** A folder for the program, in runtimes with files. */
  folder?: string
}

/** Throws if the promise does not hold. */
export type Check = (given: Given) => Promise<void>

/** The promises by their name. */
export type Promises = Readonly<Record<string, Check>>

export interface Outcome {
  promise: string
  /** The reason why it does not hold; null if it does. */
  failure: string | null
}

/** Tests the promises one after the other, so that a leak of one shows in the next. */
export async function hold(promises: Promises, given: Given): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [promise, check] of Object.entries(promises))
    outcomes.push({ promise, failure: await failureOf(check, given) })
  return outcomes
}

async function failureOf(check: Check, given: Given): Promise<string | null> {
  try {
    await within(20_000, check(given))
    return null
  } catch (error) {
    return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled after ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export function equal(found: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)]
  if (left !== right) throw new Error(`found ${left}, expected ${right}`)
}

export function ok(value: unknown, what: string): asserts value {
  if (!value) throw new Error(`it does not hold that ${what}`)
}

/** Returns the error of a promise that must reject. */
export async function failure(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
