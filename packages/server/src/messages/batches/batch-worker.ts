import { newId } from 'colloquy/engines'
import { type SeenInstance, SignsOfLife } from '../../ledger/signs-of-life.ts'
import type { Database } from '../../state/database.ts'
import { BatchQueue, type ClaimedItem, type ItemResult } from './batch-queue.ts'
import { RepeatedLook } from './repeated-look.ts'
import { type ItemOptions, ItemPostponed, runItem } from './run-item.ts'

/** How a server works on batches. */
export interface BatchSettings {
  /** The most requests of batches that are in flight in this process. Default 8; 0 leaves them to other servers. */
  concurrency?: number
  /** Milliseconds without a sign of life after which another server takes the requests of one. Default 30,000. */
  leaseMs?: number
  /** Milliseconds between two looks for batches that other servers have accepted. Default 1,000. */
  pollMs?: number
}

const defaults = { concurrency: 8, leaseMs: 30_000, pollMs: 1_000 }

/** Runs the items of batches, as one of any number of workers on a database. */
export class BatchWorker {
  readonly #queue: BatchQueue
  readonly #options: ItemOptions
  readonly #settings: typeof defaults
  readonly #looks: RepeatedLook
  readonly #closing = new AbortController()
  /** Items that were taken and wait for their turn. */
  readonly #taken: ClaimedItem[] = []
  readonly #running = new Set<Promise<void>>()
  #turn = 0
  readonly #signs: SignsOfLife
  /** A time of `performance.now()`, which never jumps. */
  #renewedAt = -Infinity

  constructor(database: Database, options: ItemOptions, settings: BatchSettings = {}) {
    this.#options = options
    this.#settings = { ...defaults, ...settings }
    const { leaseMs, pollMs } = this.#settings
    this.#looks = new RepeatedLook(() => this.#look(), pollMs)
    this.#queue = new BatchQueue(database, { owner: newId('worker_01'), leaseMs })
    this.#signs = new SignsOfLife(leaseMs)
    this.wake()
  }

  /** Looks for work at once. */
  wake(): void {
    if (this.#settings.concurrency > 0) this.#looks.wake()
  }

  /** Waits up to `graceMs` for the items in flight, then gives the others back. */
  async close({ graceMs = 0 }: { graceMs?: number } = {}): Promise<void> {
    const looked = this.#looks.close()
    this.#taken.length = 0
    const grace = setTimeout(() => this.#closing.abort(), graceMs)
    await Promise.all(this.#running)
    clearTimeout(grace)
    this.#closing.abort()
    await looked
    // Without the database the leases run out by themselves.
    if (this.#settings.concurrency > 0) await this.#queue.release().catch(() => {})
  }

  async #look(): Promise<void> {
    await this.#renew()
    const open = await this.#queue.open()
    const dead = open.length === 0 ? [] : this.#signs.dead(await this.#queue.others(), performance.now())
    // Each look begins with another batch, so that a long one does not hold up the others.
    const first = open.length === 0 ? 0 : this.#turn++ % open.length
    for (const batch of [...open.slice(first), ...open.slice(0, first)]) await this.#serve(batch, dead)
    await this.#queue.clean(this.#options.now())
  }

  async #serve(batch: string, dead: readonly SeenInstance[]): Promise<void> {
    const { concurrency } = this.#settings
    const isFull = this.#taken.length >= concurrency
    if (isFull || this.#looks.isClosed) return
    const at = { now: this.#options.now(), dead }
    const claimed = await this.#queue.claim(batch, concurrency, at)
    if (claimed.length === 0) return this.#queue.endIfDone(batch, at)
    if (this.#looks.isClosed) return
    this.#taken.push(...claimed)
    this.#startNext()
  }

  #startNext(): void {
    const { concurrency } = this.#settings
    while (this.#running.size < concurrency && this.#taken.length > 0) {
      const work = this.#work(this.#taken.shift()!).finally(() => {
        this.#running.delete(work)
        this.#startNext()
        if (this.#taken.length < concurrency) this.wake()
      })
      this.#running.add(work)
    }
  }

  async #work(item: ClaimedItem): Promise<void> {
    try {
      // An engine in the process may reply without ever waiting: other requests come first.
      await new Promise((resolve) => setTimeout(resolve))
      const result = await runItem(item, this.#options, this.#closing.signal)
      await this.#store(item, result)
    } catch (error) {
      if (!(error instanceof ItemPostponed)) return
      const delayMs = this.#settings.pollMs * 2 ** item.attempts
      await this.#queue.postpone(item, this.#options.now() + delayMs).catch(() => {})
    }
  }

  /** Stores a result, however long the database is away: the reply is paid for. */
  async #store(item: ClaimedItem, result: ItemResult): Promise<void> {
    for (;;) {
      try {
        return await this.#queue.finish(item, result)
      } catch (error) {
        if (this.#closing.signal.aborted) throw error
        await new Promise((resolve) => setTimeout(resolve, this.#settings.pollMs))
      }
    }
  }

  async #renew(): Promise<void> {
    const at = performance.now()
    if (at - this.#renewedAt < this.#settings.leaseMs / 4) return
    this.#renewedAt = at
    if (this.#running.size + this.#taken.length > 0) await this.#queue.renew(this.#options.now())
  }
}
