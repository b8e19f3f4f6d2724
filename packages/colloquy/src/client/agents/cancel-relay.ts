import type { Cancellable } from '../request/cancellation.ts'

/** Passes a cancellation on to whatever is current: first a request, then the events of its response. */
export class CancelRelay implements Cancellable {
  #current: Cancellable | undefined
  #error: Error | undefined

  /** Makes `current` the one to cancel, and returns it. */
  follow<Current extends Cancellable>(current: Current): Current {
    this.#current = current
    if (this.#error) current.cancel(this.#error)
    return current
  }

  cancel(error: Error): void {
    this.#error = error
    this.#current?.cancel(error)
  }
}
