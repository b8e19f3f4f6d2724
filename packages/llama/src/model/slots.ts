import { apiError } from 'colloquy/protocol'
import { abortError, throwIfAborted } from '../abort.ts'
import type { Context, Sequence, Token } from './runtime.ts'

/** The cache of one conversation. */
export interface Slot {
  sequence: Sequence
  isBusy: boolean
  usedAt: number
  /** Ends with the tokens that are being read, which cannot be interrupted. Never rejects. */
  reading: Promise<void>
}

interface Taken {
  slot: Slot
  /** The tokens at the beginning of the prompt that the slot has read already. */
  kept: number
}

/** The caches of a model. A request gets the free one of its conversation, else the oldest one, or waits its turn. */
export class Slots {
  readonly #slots: Slot[]
  readonly #maxQueue: number
  /** Gives the free slot to the requests that wait, the first one first. */
  readonly #queue: (() => void)[] = []
  #uses = 0

  constructor(context: Context, parallel: number, maxQueue: number) {
    this.#slots = Array.from({ length: parallel }, () => ({
      sequence: context.getSequence(),
      isBusy: false,
      usedAt: 0,
      reading: Promise.resolve(),
    }))
    this.#maxQueue = maxQueue
  }

  /** Takes a slot. Throws an `overloaded_error` if too many requests wait already. */
  async take(prompt: readonly Token[], signal: AbortSignal | undefined): Promise<Taken> {
    throwIfAborted(signal)
    return this.#free().length > 0 ? this.#occupy(prompt) : this.#wait(prompt, signal)
  }

  release(slot: Slot): void {
    slot.isBusy = false
    slot.usedAt = ++this.#uses
    this.#queue.shift()?.()
  }

  #free(): Slot[] {
    return this.#slots.filter(({ isBusy }) => !isBusy)
  }

  /**
   * The slot of the same conversation: more than half of what it holds begins the prompt. Else the one that was not used for
   * the longest time, so that a new conversation which shares only a system prompt does not take the place of another.
   */
  #best(prompt: readonly Token[]): Slot {
    const free = this.#free().toSorted((a, b) => a.usedAt - b.usedAt)
    const same = free.filter((slot) => keptOf(slot, prompt) * 2 > slot.sequence.nextTokenIndex)
    return same.toSorted((a, b) => keptOf(b, prompt) - keptOf(a, prompt))[0] ?? free[0]!
  }

  #occupy(prompt: readonly Token[]): Taken {
    const slot = this.#best(prompt)
    slot.isBusy = true
    // The last token is always read again: the next one is sampled from its result.
    return { slot, kept: Math.min(keptOf(slot, prompt), prompt.length - 1) }
  }

  /** Waits for a slot, which is taken before another request can take it. */
  #wait(prompt: readonly Token[], signal: AbortSignal | undefined): Promise<Taken> {
    if (this.#queue.length >= this.#maxQueue) {
      throw apiError('overloaded_error', `The model is busy: ${this.#queue.length} requests wait for it.`)
    }
    const { promise, resolve, reject } = Promise.withResolvers<Taken>()
    const resume = (): void => {
      try {
        resolve(this.#occupy(prompt))
      } catch (error) {
        reject(error)
      }
    }
    const onAbort = (): void => {
      const place = this.#queue.indexOf(resume)
      if (place < 0) return
      this.#queue.splice(place, 1)
      reject(abortError(signal))
    }
    this.#queue.push(resume)
    signal?.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => signal?.removeEventListener('abort', onAbort))
  }
}

function keptOf({ sequence }: Slot, prompt: readonly Token[]): number {
  return sequence.compareContextTokens(prompt).firstDifferentIndex
}
