import { catalogueChoices, type ModelChoiceJson } from '@colloquy/server'
import type { Engine } from 'colloquy/protocol'
import type { ChatLedger } from '../../../chat-ledger.ts'
import type { Candidate } from '../../../engine/candidates.ts'
import { connect, type Connection } from '../../../engine/connect.ts'
import {
  engineLabel,
  type EngineKind,
  hasAccess,
  isOnThisMachine,
  isSameEngine,
  ownModel,
  type ServerEngine,
} from '../../../engine/engine-kind.ts'
import { servedModels } from '../../../engine/served-models.ts'
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
    const [served, candidates] = await Promise.all([this.#served(), this.#candidates])
    const here = candidates.filter(({ engine }) => !this.#isNamedServer(engine)).map((each) => this.#choice(each))
    const own = this.#chosen.kind === 'offline' ? 'offline' : ownModel(this.#chosen)
    const listed = [...claude, ...here, ...served]
    if (own === undefined || listed.some(({ id }) => id === own)) return listed
    return [...listed, choiceOf(own, this.#chosen.kind === 'offline' ? engineLabel(this.#chosen) : own)]
  }

  async close(): Promise<void> {
    const closing = this.#connections.values().map(async (connection) => (await connection).close())
    await Promise.allSettled(closing)
  }

  /** The models of a Chat Completions server that the user named. */
  async #served(): Promise<ModelChoiceJson[]> {
    const chosen = this.#chosen
    if (!this.#isNamedServer(chosen)) return []
    const ids = await servedModels(chosen).catch(() => chosen.served ?? [])
    return ids.map((id) => ({ ...choiceOf(id, id), isLocal: isOnThisMachine(chosen) }))
  }

  /** Whether an engine is the server that the user named, whose models are listed by its own names. */
  #isNamedServer(engine: EngineKind): engine is ServerEngine {
    const chosen = this.#chosen
    return chosen.kind === 'chat' && chosen.from === undefined && engine.kind === 'chat' && engine.url === chosen.url
  }

  /** A model of this machine. The one that the server uses has the name that new chats have. */
  #choice({ name, window, engine }: Candidate): ModelChoiceJson {
    const isChosen = isSameEngine(engine, this.#chosen)
    return { ...choiceOf((isChosen && ownModel(engine)) || name, name), contextTokens: window ?? null }
  }

  async #connectionFor(model: string): Promise<Connection> {
    this.#candidates ??= findModels()
    const isClaude = model.startsWith('claude')
    const found = isClaude ? undefined : (await this.#candidates).find(({ name }) => name === model)
    const usesApi = isClaude && this.#chosen.kind !== 'api' && hasAccess()
    const kind: EngineKind = found?.engine ?? (usesApi ? { kind: 'api' } : this.#chosenEngine())
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

  /** The server's engine. A server that the user named gets the model of the request. */
  #chosenEngine(): EngineKind {
    const chosen = this.#chosen
    return this.#isNamedServer(chosen) ? { kind: 'chat', url: chosen.url } : chosen
  }
}

/** Looks for the models of this machine. The code that finds them is loaded with the first request for them. */
async function findModels(): Promise<readonly Candidate[]> {
  const { findCandidates } = await import('../../../engine/candidates.ts')
  return findCandidates()
}

function choiceOf(id: string, displayName: string): ModelChoiceJson {
  return { id, displayName, isLocal: true, contextTokens: null, maxOutputTokens: null, efforts: [], price: null }
}
