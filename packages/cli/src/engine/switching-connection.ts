import type { Engine } from 'colloquy/protocol'
import type { Flags } from '../flags.ts'
import { connect, type Connection, type ConnectOptions, type LatestRequest } from './connect.ts'
import type { EngineKind } from './engine-kind.ts'

/** A connection whose engine can be replaced between two turns of a chat. */
export class SwitchingConnection implements Connection {
  readonly engine: Engine
  readonly #flags: Flags
  readonly #options: ConnectOptions
  #current: Connection

  private constructor(current: Connection, flags: Flags, options: ConnectOptions) {
    this.#current = current
    this.#flags = flags
    this.#options = options
    const engine: Engine = (params, context) => this.#current.engine(params, context)
    this.engine = Object.assign(engine, {
      countTokens: (...parameters: Parameters<NonNullable<Engine['countTokens']>>) =>
        this.#current.engine.countTokens!(...parameters),
    })
  }

  static async open(engine: EngineKind, flags: Flags, options: ConnectOptions): Promise<SwitchingConnection> {
    return new SwitchingConnection(await connect(engine, flags, options), flags, options)
  }

  get kind(): EngineKind {
    return this.#current.kind
  }

  get isLocal(): boolean {
    return this.#current.isLocal
  }

  get latest(): Readonly<LatestRequest> {
    return this.#current.latest
  }

  /** Connects to another engine, for the next request. Throws an `ExitError` if a key is missing. */
  async switchTo(engine: EngineKind): Promise<void> {
    const next = await connect(engine, this.#flags, this.#options)
    await this.#current.close()
    this.#current = next
  }

  close(): Promise<void> {
    return this.#current.close()
  }
}
