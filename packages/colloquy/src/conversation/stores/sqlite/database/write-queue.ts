import { setImmediate as nextTask, setTimeout as sleep } from 'node:timers/promises'

/** How the part of a transaction ended. */
export type Outcome = { result: unknown } | { error: unknown }

/** The database, as the queue uses it. */
export interface Transactions {
  /** Runs work in one transaction and commits it. */
  transaction(work: () => void): void
  /**
   * Makes everything that is committed survive a power failure: at once, or when the promise resolves. Fails if that is not
   * certain.
   */
  sync(): Promise<void> | undefined
  /** Runs a part of a transaction. If it throws, its changes are undone; throws if the whole transaction had to be undone. */
  part(work: () => unknown): Outcome
  /** Whether the error says that another process holds the lock. */
  isBusy(error: unknown): boolean
}

interface Job {
  work: () => unknown
  durable: boolean
  /** When to give up waiting for another process's lock, on the clock of `performance.now()`. */
  deadline: number
  resolve: (result: never) => void
  reject: (error: unknown) => void
}

/** The most jobs in one transaction: the event loop is blocked until it is committed. */
const largestGroup = 250

/**
 * Commits what several callers write at one moment in one transaction, because a commit takes longer than the changes of a
 * turn. A caller's promise resolves after the commit, and a caller that fails undoes only its own changes.
 */
export class WriteQueue {
  readonly #db: Transactions
  readonly #busyTimeoutMs: number
  #waiting: Job[] = []
  #isDraining = false

  constructor(db: Transactions, busyTimeoutMs: number) {
    this.#db = db
    this.#busyTimeoutMs = busyTimeoutMs
  }

  /**
   * Adds work, which may run more than once. Nothing it returns or throws is final before its commit.
   *
   * @param gathers whether to wait for other callers until the event loop turns, which takes about 30 µs of CPU time.
   */
  add<T>(work: () => T, { durable, gathers }: { durable: boolean; gathers: boolean }): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const deadline = performance.now() + this.#busyTimeoutMs
    this.#waiting.push({ work, durable, deadline, resolve, reject })
    if (!this.#isDraining) {
      this.#isDraining = true
      // The callers that are woken by the same events add their work first; without waiting, those of the same microtask.
      if (gathers) setImmediate(() => void this.#drain())
      else queueMicrotask(() => void this.#drain())
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
      const blocked = this.#commit(this.#waiting.splice(0, largestGroup))
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

  /**
   * Runs jobs in one transaction. Returns those that have to wait because another process holds the lock.
   *
   * @param apart whether each job is a part that can be undone alone. That takes longer, so it is done after a failure only.
   */
  #commit(jobs: readonly Job[], apart = false): Job[] {
    const run = ({ work }: Job): Outcome => {
      return apart ? this.#db.part(() => resultOf(work)) : { result: resultOf(work) }
    }
    let outcomes: Outcome[] = []
    try {
      this.#db.transaction(() => (outcomes = jobs.map(run)))
    } catch (error) {
      if (this.#db.isBusy(error)) return rejectExpired(jobs, error)
      if (jobs.length > 1) {
        // If even the parts fail together, the disk may have room for some of them.
        return apart ? jobs.flatMap((job) => this.#commit([job])) : this.#commit(jobs, true)
      }
      outcomes = [{ error }]
    }
    this.#settle(outcomes.map((outcome, index) => ({ job: jobs[index]!, outcome })))
    return []
  }

  /** Settles durable jobs after a sync. If that fails they fail; the others are committed and succeed. */
  #settle(ended: readonly Ended[]): void {
    const isDurable = ({ job, outcome }: Ended): boolean => job.durable && !('error' in outcome)
    const durable = ended.filter(isDurable)
    for (const each of ended) if (!isDurable(each)) settle(each)
    if (durable.length === 0) return
    const resolve = (): void => durable.forEach(settle)
    const reject = (error: unknown): void => durable.forEach(({ job }) => job.reject(error))
    try {
      const syncing = this.#db.sync()
      if (syncing === undefined) resolve()
      else void syncing.then(resolve, reject)
    } catch (error) {
      reject(error)
    }
  }
}

interface Ended {
  job: Job
  outcome: Outcome
}

function resultOf(work: Job['work']): unknown {
  const result = work()
  // It would be committed before the asynchronous part had run.
  if (result instanceof Promise) throw new TypeError('Cannot run a transaction whose work returns a promise')
  return result
}

function settle({ job, outcome }: Ended): void {
  if ('error' in outcome) job.reject(outcome.error)
  else job.resolve(outcome.result as never)
}

/** Rejects the jobs that have waited too long, and returns the others. */
function rejectExpired(jobs: readonly Job[], error: unknown): Job[] {
  const now = performance.now()
  return jobs.filter(({ deadline, reject }) => {
    if (now > deadline) reject(error)
    return now <= deadline
  })
}
