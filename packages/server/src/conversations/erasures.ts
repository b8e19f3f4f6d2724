import type { Conversation } from 'colloquy/conversation'

interface Pending {
  conversation: Conversation
  messageId: string
  updatedAt: number
  timer: ReturnType<typeof setTimeout>
}

/**
 * Erases messages after a while in which that can be taken back. Until then they can still be read. A conversation that was
 * changed in the meantime loses nothing.
 */
export class Erasures {
  readonly #pending = new Map<string, Pending>()

  /** Erases a message and all that follow it after some milliseconds. */
  begin(conversation: Conversation, messageId: string, waitMs: number): void {
    this.takeBack(conversation.id, messageId)
    const key = keyOf(conversation.id, messageId)
    const timer = setTimeout(() => void this.#finish(key).catch(() => {}), waitMs)
    const updatedAt = conversation.updatedAt.getTime()
    this.#pending.set(key, { conversation, messageId, updatedAt, timer })
  }

  /** False if the message is not waiting to be erased. */
  takeBack(id: string, messageId: string): boolean {
    const key = keyOf(id, messageId)
    clearTimeout(this.#pending.get(key)?.timer)
    return this.#pending.delete(key)
  }

  /** Erases at once what is waiting. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#pending.keys()].map((key) => this.#finish(key)))
  }

  async #finish(key: string): Promise<void> {
    const pending = this.#pending.get(key)
    if (pending === undefined) return
    const { conversation, messageId, updatedAt, timer } = pending
    clearTimeout(timer)
    this.#pending.delete(key)
    await conversation.refresh()
    if (conversation.updatedAt.getTime() === updatedAt) await conversation.erase(messageId)
  }
}

function keyOf(id: string, messageId: string): string {
  return `${id} ${messageId}`
}
