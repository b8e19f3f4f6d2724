/** The number of replies in flight. */
export interface InFlight {
  count: number
}

/** The right to one of the replies in flight, which is counted until it is released. */
export class Slot {
  readonly #inFlight: InFlight
  #isTaken = true

  constructor(inFlight: InFlight) {
    this.#inFlight = inFlight
    inFlight.count++
  }

  release(): void {
    if (this.#isTaken) this.#inFlight.count--
    this.#isTaken = false
  }
}
