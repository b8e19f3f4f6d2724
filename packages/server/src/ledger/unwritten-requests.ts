import type { PricedRow } from './request-row.ts'
import type { Batch, Flight, SettledRow } from './write-batch.ts'

/** Changes of requests, as a write takes them. */
type RequestChanges = Pick<Batch, 'settled' | 'begun' | 'ended'>

/** The requests of this instance that are in flight, and the changes of requests that are not in the database yet. */
export class UnwrittenRequests {
  #settled: SettledRow[] = []
  #ended: string[] = []
  /** By request id. True if the database has it. */
  readonly #flights = new Map<string, { flight: Flight; isStored: boolean }>()

  get settledCount(): number {
    return this.#settled.length
  }

  get inFlightCount(): number {
    return this.#flights.size
  }

  begin(flight: Flight): void {
    this.#flights.set(flight.origin.id, { flight, isStored: false })
  }

  /** Ends a request. Returns what its accounts had reserved, and what they pay: all of it if the cost is unknown. */
  settle(row: PricedRow, cost: bigint | undefined): Omit<SettledRow, 'row'> & { reserved: bigint } {
    const { id } = row
    const begun = this.#flights.get(id)
    const { accounts, reserved } = begun?.flight ?? { accounts: [], reserved: 0n }
    const charged = cost ?? reserved
    this.#settled.push({ row, accounts, charged })
    if (begun?.isStored) this.#ended.push(id)
    this.#flights.delete(id)
    return { accounts, reserved, charged }
  }

  changes(): RequestChanges {
    const begun = [...this.#flights.values()].filter(({ isStored }) => !isStored).map(({ flight }) => flight)
    return { settled: this.#settled, begun, ended: this.#ended }
  }

  /** The changes are being written: later ones are kept apart from them. */
  writing(): void {
    this.#settled = []
    this.#ended = []
  }

  /** Keeps the changes that could not be written. */
  failed({ settled, ended }: RequestChanges): void {
    this.#settled = [...settled, ...this.#settled]
    this.#ended = [...ended, ...this.#ended]
  }

  written({ begun }: RequestChanges): void {
    for (const { origin } of begun) {
      const flight = this.#flights.get(origin.id)
      if (flight) flight.isStored = true
      // It ended while it was written.
      else this.#ended.push(origin.id)
    }
  }
}
