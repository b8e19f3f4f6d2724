import type { Conversations } from 'colloquy/conversation'

interface Pending {
  owner: string | undefined
  updatedAt: number
  timer: ReturnType<typeof setTimeout>
  /** Whether the conversation is being deleted, which cannot be taken back. */
  isFinal: boolean
}

/**
 * Deletes conversations after a while in which the deletion can be taken back. Until then they are hidden here. If the
 * process ends before, they are still there.
 */
export class Deletions {
  readonly #conversations: Conversations
  readonly #waitMs: number
  readonly #pending = new Map<string, Pending>()

  constructor(conversations: Conversations, waitMs: number) {
    this.#conversations = conversations
    this.#waitMs = waitMs
  }

  has(id: string): boolean {
    return this.#pending.has(id)
  }

  /** Whether a state of a conversation is hidden. One that is newer than the deletion takes it back. */
  hides({ id, updatedAt }: { id: string; updatedAt: Date }): boolean {
    const pending = this.#pending.get(id)
    return pending !== undefined && updatedAt.getTime() <= pending.updatedAt
  }

  /** Returns the time until which the deletion can be taken back. */
  begin(id: string, { owner, updatedAt }: { owner: string | undefined; updatedAt: Date }): Date {
    const timer = setTimeout(() => void this.#finish(id).catch(() => {}), this.#waitMs)
    this.#pending.set(id, { owner, updatedAt: updatedAt.getTime(), timer, isFinal: false })
    return new Date(Date.now() + this.#waitMs)
  }

  /** False if no deletion of the conversation is pending. */
  takeBack(id: string, owner: string | undefined): boolean {
    const pending = this.#pending.get(id)
    if (pending === undefined || pending.isFinal || (owner !== undefined && pending.owner !== owner)) return false
    clearTimeout(pending.timer)
    return this.#pending.delete(id)
  }

  /** Deletes at once what is pending. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#pending.keys()].map((id) => this.#finish(id)))
  }

  async #finish(id: string): Promise<void> {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    clearTimeout(pending.timer)
    try {
      // Another program may have continued it, or the deletion was taken back while it was read.
      const { updatedAt } = await this.#conversations.open(id)
      if (updatedAt.getTime() !== pending.updatedAt || this.#pending.get(id) !== pending) return
      pending.isFinal = true
      await this.#conversations.delete(id, { usedBefore: new Date(pending.updatedAt + 1) })
    } finally {
      if (this.#pending.get(id) === pending) this.#pending.delete(id)
    }
  }
}
