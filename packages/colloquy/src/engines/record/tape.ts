import { APIError } from '../../protocol/types/error.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { CassettePort, Exchange, RecordedError } from './cassette.ts'
import { decodeCassette, encodeCassette } from './cassette.ts'
import { type Comparable, comparable, nearestDifferences } from './match.ts'

/** A place in the cassette for an exchange that has begun. */
export interface Place {
  exchange?: Exchange
}

export interface TapeOptions {
  port: CassettePort
  ignored: readonly string[]
  /** Begin with an empty cassette. The old one is replaced when the first exchange is complete. */
  isNew: boolean
}

/** The exchanges of a cassette: finds recorded ones, and adds new ones in the order in which they began. */
export class Tape {
  readonly #options: TapeOptions
  #loading: Promise<void> | undefined
  readonly #places: Place[] = []
  /** The recorded exchanges by request. The first one is next; the last one stays. */
  readonly #recorded = new Map<string, Exchange[]>()
  readonly #comparables: Comparable[] = []
  readonly #unused = new Set<Exchange>()
  #saving: Promise<void> = Promise.resolve()
  #isSavePending = false

  constructor(options: TapeOptions) {
    this.#options = options
  }

  /** The number of recorded exchanges that no request has had. */
  get unused(): number {
    return this.#unused.size
  }

  /** The exchange for a request. Requests that are equal get theirs in order, and the last one again. */
  async find(request: Comparable): Promise<Exchange | undefined> {
    await this.#load()
    const matching = this.#recorded.get(request.key)
    const found = matching && matching.length > 1 ? matching.shift() : matching?.[0]
    if (found) this.#unused.delete(found)
    return found
  }

  /** The error for a request that was not recorded, with the differences to the nearest one. */
  noMatch({ kind, value }: Comparable): APIError {
    const { name } = this.#options.port
    const nearest = nearestDifferences({ kind, value, key: '' }, this.#comparables)
    const reason =
      nearest === undefined
        ? `it has ${this.#comparables.length === 0 ? 'no exchange' : `none of ${kind}`}`
        : `the nearest one, exchange ${nearest.index + 1}, differs:\n${nearest.lines.map((line) => `  ${line}`).join('\n')}`
    const advice = 'The mode record-missing adds it: for cassette(), set COLLOQUY_CASSETTES=record-missing.'
    return apiError('invalid_request_error', `No recording in ${name} matches the request: ${reason}\n${advice}`, {
      error_code: 'no_recording',
    })
  }

  /** Takes the next place. */
  async begin(): Promise<Place> {
    await this.#load()
    const place: Place = {}
    this.#places.push(place)
    return place
  }

  /** Keeps an exchange, and writes the cassette. */
  async keep(place: Place, exchange: Exchange): Promise<void> {
    place.exchange = exchange
    await this.#save()
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read()
    return this.#loading
  }

  async #read(): Promise<void> {
    const { port, isNew, ignored } = this.#options
    const text = isNew ? undefined : await port.read()
    for (const exchange of text === undefined ? [] : decodeCassette(text, port.name)) {
      this.#places.push({ exchange })
      const request = comparable(exchange.kind, exchange.request, ignored)
      this.#comparables.push(request)
      this.#recorded.set(request.key, [...(this.#recorded.get(request.key) ?? []), exchange])
      this.#unused.add(exchange)
    }
  }

  /** One write at a time; those that wait are one. */
  #save(): Promise<void> {
    if (this.#isSavePending) return this.#saving
    this.#isSavePending = true
    this.#saving = this.#saving
      .catch(() => {})
      .then(async () => {
        this.#isSavePending = false
        const complete = this.#places.flatMap(({ exchange }) => (exchange ? [exchange] : []))
        await this.#options.port.write(encodeCassette(complete))
      })
    return this.#saving
  }
}

const keptHeaders = ['retry-after', 'retry-after-ms', 'x-should-retry']

/** An error of the API as a cassette keeps it. Undefined for others, such as a broken connection: they are not replies. */
export function recordedError(error: unknown): RecordedError | undefined {
  if (!(error instanceof APIError) || error.error === undefined) return undefined
  const headers = keptHeaders.flatMap((name) => {
    const value = error.headers?.get(name)
    return value == null ? [] : [[name, value] as const]
  })
  return {
    ...(error.status !== undefined && { status: error.status }),
    ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
    body: error.error,
  }
}
