import type { Cancellable } from '../request/cancellation.ts'
import type { RequestOptions } from '../request/options.ts'

const key = Symbol()

/** Passes a cancellation on to whatever is current: first a request, then the events of its response. */
export class CancelRelay implements Cancellable {
  /** The options of a call whose request the relay follows, even if the program has put a function around the method. */
  readonly options: RequestOptions
  #current: Cancellable | undefined
  #error: Error | undefined

  constructor(options?: RequestOptions | null) {
    this.options = { ...options, [key]: this } as RequestOptions
  }

  /** The relay that made the options. */
  static in(options: RequestOptions | null | undefined): CancelRelay | undefined {
    return (options as { [key]?: CancelRelay } | null | undefined)?.[key]
  }

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
