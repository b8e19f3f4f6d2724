import { catalogueChoices, type ModelChoiceJson } from '@colloquy/server'
import type { Engine } from 'colloquy/protocol'
import type { ChatLedger } from '../../../chat-ledger.ts'
import type { Candidate } from '../../../engine/candidates.ts'
import { connect, type Connection } from '../../../engine/connect.ts'
import { engineLabel, type EngineKind, hasAccess } from '../../../engine/engine-kind.ts'
import type { Flags } from '../../../flags.ts'

/** The engine of chats in the console: that of the server, and for the models of this machine one each. */
export class ChatsEngine {
  readonly #chosen: EngineKind
  readonly #flags: Flags
  readonly #ledger: ChatLedger
  readonly #connections = new Map<string, Promise<Connection>>()
  #candidates: Promise<readonly Candidate[]> | undefined

  constructor(chosen: EngineKind, flags: Flags, ledger: ChatLedger) {
    this.#chosen = chosen
    this.#flags = flags
    this.#ledger = ledger
  }

  get engine(): Engine {
    const connectionFor = (model: string): Promise<Connection> => this.#connectionFor(model)
    const ledger = this.#ledger
    return async function* chats(params, context) {
      yield* ledger.metered(await connectionFor(params.model))(params, context)
    }
  }

  /** The models that can reply. */
  async models(): Promise<ModelChoiceJson[]> {
    this.#candidates = findModels()
    const claude = this.#chosen.kind === 'api' || hasAccess() ? catalogueChoices() : []
    return [...claude, ...(await this.#candidates).map(candidateChoice), ...this.#own()]
  }

  async close(): Promise<void> {
    const closing = this.#connections.values().map(async (connection) => (await connection).close())
    await Promise.allSettled(closing)
  }

  /** The engine of the server, if it is none of the listed ones. */
  #own(): ModelChoiceJson[] {
    if (this.#chosen.kind !== 'offline') return []
    return [{ ...localChoice, id: 'offline', displayName: engineLabel(this.#chosen) }]
  }

  async #connectionFor(model: string): Promise<Connection> {
    this.#candidates ??= findModels()
    const isClaude = model.startsWith('claude')
    const found = isClaude ? undefined : (await this.#candidates).find(({ name }) => name === model)
    const usesApi = isClaude && this.#chosen.kind !== 'api' && hasAccess()
    const kind: EngineKind = found?.engine ?? (usesApi ? { kind: 'api' } : this.#chosen)
    const key = JSON.stringify(kind)
    let connection = this.#connections.get(key)
    if (connection === undefined) {
      connection = connect(kind, this.#flags)
      this.#connections.set(key, connection)
      // The next request tries again.
      connection.catch(() => this.#connections.delete(key))
    }
    return connection
  }
}

/** Looks for the models of this machine. The code that finds them is loaded with the first request for them. */
async function findModels(): Promise<readonly Candidate[]> {
  const { findCandidates } = await import('../../../engine/candidates.ts')
  return findCandidates()
}

const localChoice = { isLocal: true, contextTokens: null, maxOutputTokens: null, efforts: [], price: null }

function candidateChoice({ name, window }: Candidate): ModelChoiceJson {
  return { ...localChoice, id: name, displayName: name, contextTokens: window ?? null }
}
