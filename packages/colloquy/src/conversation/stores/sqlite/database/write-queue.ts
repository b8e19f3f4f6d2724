import { setImmediate as nextTask, setTimeout as sleep } from 'node:timers/promises'

/** How the part of a transaction ended. */
export type Outcome = { result: unknown } | { error: unknown }

/** The database, as the queue uses it. */
export interface Transactions {
  /** Runs the work of a number of jobs in one transaction and commits it. */
  transaction(work: () => void, jobs: number): void
  /**
   * Makes everything that is committed survive a power failure: at once, or when the promise resolves. Fails if that is not
   * certain.
   */
  sync(): Promise<void> | undefined
  /** Runs a part of a transaction. If it throws, its changes are undone; throws if the whole transaction had to be undone. */
  part(work: () => unknown): Outcome
  /** Whether the error says that another process holds the lock. */
  isBusy(error: unknown): boolean
  /** The error for a caller. @param doing the end of the error message "Cannot …". */
  explain(error: unknown, doing: string): unknown
}

/** A write of a caller. */
interface Work<T> {
  /** The end of the error message "Cannot …". */
  doing: string
  /** May run more than once. Nothing that it returns or throws is final before its commit. */
  work: () => T
  durable: boolean
  /** Whether to wait for other callers until the event loop turns, which takes about 30 µs of CPU time. */
  gathers: boolean
}

interface Job extends Work<unknown> {
  /** When to give up waiting for another process's lock, on the clock of `performance.now()`. */
  deadline: number
  /** How the work ended in the last transaction that ran it. */
  outcome: Outcome | undefined
  resolve: (result: never) => void
  reject: (error: unknown) => void
}

/** The most jobs in one transaction: the event loop is blocked until it is committed. */
const largestGroup = 250

/** Its `then()` starts a microtask for less than `queueMicrotask()` of Node, which makes an object for `async_hooks`. */
const resolved = Promise.resolve()

/**
 * Commits what several callers write at one moment in one transaction, because a commit takes longer than the changes of a
 * turn. A caller's promise resolves after the commit, and a caller that fails undoes only its own changes.
 */
export class WriteQueue {
  readonly #db: Transactions
  readonly #busyTimeoutMs: number
  #waiting: Job[] = []
  #isDraining = false
  readonly #start = (): void => void this.#drain()

  constructor(db: Transactions, busyTimeoutMs: number) {
    this.#db = db
    this.#busyTimeoutMs = busyTimeoutMs
  }

  add<T>({ doing, work, durable, gathers }: Work<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const deadline = performance.now() + this.#busyTimeoutMs
    this.#waiting.push({ doing, work, durable, gathers, deadline, outcome: undefined, resolve, reject })
    if (!this.#isDraining) {
      this.#isDraining = true
      // The callers that are woken by the same events add their work first; without waiting, those of the same microtask.
      if (gathers) setImmediate(this.#start)
      else void resolved.then(this.#start)
    }
    return promise
  }

  /** Commits what is waiting at once. Work that another process's lock keeps from running fails. */
  flush(): void {
    for (const job of this.#waiting) job.deadline = 0
    if (this.#waiting.length > 0) this.#commit(this.#waiting.splice(0))
  }

  async #drain(): Promise<void> {
    for (let waitMs = 1; this.#waiting.length > 0;) {
      const blocked = this.#commit(this.#next())
      if (blocked.length === 0) {
        waitMs = 1
        if (this.#waiting.length > 0) await nextTask()
      } else {
        this.#waiting.unshift(...blocked)
        // Wait here rather than in SQLite: its busy handler would block the event loop.
        await sleep(waitMs)
        waitMs = Math.min(waitMs * 2, 50)
      }
    }
    this.#isDraining = false
  }

  /** Takes the jobs of the next transaction. */
  #next(): Job[] {
    const waiting = this.#waiting
    if (waiting.length > largestGroup) return waiting.splice(0, largestGroup)
    this.#waiting = []
    return waiting
  }

  /**
   * Runs jobs in one transaction. Returns those that have to wait because another process holds the lock.
   *
   * @param apart whether each job is a part that can be undone alone. That takes longer, so it is done after a failure only.
   */
  #commit(jobs: readonly Job[], apart = false): Job[] {
    try {
      this.#db.transaction(() => {
        for (const job of jobs) job.outcome = apart ? this.#db.part(() => resultOf(job)) : { result: resultOf(job) }
      }, jobs.length)
    } catch (error) {
      if (this.#db.isBusy(error)) return this.#rejectExpired(jobs, error)
      if (jobs.length > 1) {
        // If even the parts fail together, the disk may have room for some of them.
        return apart ? jobs.flatMap((job) => this.#commit([job])) : this.#commit(jobs, true)
      }
      jobs[0]!.outcome = { error }
    }
    this.#settle(jobs)
    return []
  }

  /** Settles durable jobs after a sync. If that fails they fail; the others are committed and succeed. */
  #settle(jobs: readonly Job[]): void {
    const unsynced: Job[] = []
    for (const job of jobs) {
      if ('error' in job.outcome!) this.#reject(job, job.outcome.error)
      else if (job.durable) unsynced.push(job)
      else resolve(job)
    }
    if (unsynced.length === 0) return
    try {
      const syncing = this.#db.sync()
      if (syncing === undefined) for (const job of unsynced) resolve(job)
      else void this.#settleAfter(syncing, unsynced)
    } catch (error) {
      for (const job of unsynced) this.#reject(job, error)
    }
  }

  async #settleAfter(syncing: Promise<void>, jobs: readonly Job[]): Promise<void> {
    try {
      await syncing
      for (const job of jobs) resolve(job)
    } catch (error) {
      for (const job of jobs) this.#reject(job, error)
    }
  }

  /** Rejects the jobs that have waited too long, and returns the others. */
  #rejectExpired(jobs: readonly Job[], error: unknown): Job[] {
    const now = performance.now()
    const expired = jobs.filter(({ deadline }) => now > deadline)
    for (const job of expired) this.#reject(job, error)
    return jobs.filter(({ deadline }) => now <= deadline)
  }

  #reject({ doing, reject }: Job, error: unknown): void {
    reject(this.#db.explain(error, doing))
  }
}

function resultOf({ work }: Job): unknown {
  const result = work()
  // It would be committed before the asynchronous part had run.
  if (result instanceof Promise) throw new TypeError('Cannot run a transaction whose work returns a promise')
  return result
}

function resolve({ outcome, resolve }: Job): void {
  if ('result' in outcome!) resolve(outcome.result as never)
}
