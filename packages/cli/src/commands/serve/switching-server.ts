import type { Server } from '@colloquy/server'

/** Makes a server that calls back once for each request, when its response has ended. */
export type MakeServer = (onEnd: () => void) => Server

/** How long the requests of batches may take in a server that was replaced. The next server repeats the others. */
const batchGraceMs = 60_000

/** A server that can be replaced while it answers: requests that have begun stay with the server of before. */
export class SwitchingServer implements Server {
  #current: Generation
  #settled: Promise<unknown> = Promise.resolve()

  constructor(make: MakeServer) {
    this.#current = new Generation(make)
  }

  /**
   * Answers requests that come from now on with another server.
   *
   * @returns a promise that resolves when no request is answered by a server of before.
   */
  async use(make: MakeServer): Promise<void> {
    const before = this.#current
    this.#current = new Generation(make)
    if (before.server.isDraining) this.drain()
    this.#settled = Promise.all([this.#settled, before.retire(), before.server.close({ graceMs: batchGraceMs })])
    await this.#settled
  }

  fetch(request: Request | URL | string, init?: RequestInit): Promise<Response> {
    return this.#current.begin().fetch(request, init)
  }

  answer(request: Parameters<Server['answer']>[0]): ReturnType<Server['answer']> {
    const generation = this.#current
    const answer = generation.begin().answer(request)
    if (answer === undefined) generation.end()
    return answer
  }

  refuse(request: { method: string; path: string }, error: unknown): Response {
    return this.#current.begin().refuse(request, error)
  }

  drain(): void {
    this.#current.server.drain()
  }

  get isDraining(): boolean {
    return this.#current.server.isDraining
  }

  isOriginAllowed(origin: string): boolean {
    return this.#current.server.isOriginAllowed(origin)
  }

  close(options?: { graceMs?: number }): Promise<void> {
    return this.#current.server.close(options)
  }
}

/** A server, and the number of its requests whose response has not ended. */
class Generation {
  readonly server: Server
  readonly #idle = Promise.withResolvers<void>()
  #open = 0
  #isRetired = false

  constructor(make: MakeServer) {
    this.server = make(() => this.end())
  }

  begin(): Server {
    this.#open++
    return this.server
  }

  /** Resolves when the last request has ended. No other may begin. */
  retire(): Promise<void> {
    this.#isRetired = true
    if (this.#open === 0) this.#idle.resolve()
    return this.#idle.promise
  }

  end(): void {
    this.#open--
    if (this.#isRetired && this.#open === 0) this.#idle.resolve()
  }
}
