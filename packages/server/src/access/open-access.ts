import { StoreError } from 'colloquy/conversation/errors'
import { type APIError, apiError, type ModelEntry } from 'colloquy/protocol'
import { adminApp } from '../admin/admin.ts'
import { Ledger, type LedgerOptions } from '../ledger/ledger.ts'
import { RefusalQuota } from './limits/refusal-quota.ts'
import { type RequestOrigin, type RequestRow, refusedRow, requestRow, uncheckedRow } from '../ledger/request-row.ts'
import { BudgetExceeded } from '../ledger/reserve.ts'
import type { Flight } from '../ledger/write-batch.ts'
import type { AccessEntry, UnrecordedRequest } from '../operate/request-log.ts'
import { withoutStore } from '../messages/error-answer.ts'
import type { ServerStore } from '../state/server-store.ts'
import type { Access, Caller, NewRequest, Passage } from './access.ts'
import { BegunRequest, originOf } from './begun-request.ts'
import { accountsOf, type BudgetAccount, budgetError } from './budgets.ts'
import { ceilingOf } from './ceiling.ts'
import { type KeyRecord, Keys } from './keys/keys.ts'
import { allowsModel, budgetPicoUsd } from './keys/settings.ts'
import { readSpending } from './key-spending.ts'
import type { CountResult, LimitCounter } from './limits/counter.ts'
import { openCounter } from './limits/open-counter.ts'
import { limitHeaders, rateLimitError } from './limits/rate-limits.ts'
import type { RequestHeaders } from './request-headers.ts'
import { Senders } from './keys/senders.ts'

/** Options of `openAccess()`. */
export interface AccessOptions extends Pick<LedgerOptions, 'flushMs' | 'retainMs' | 'leaseMs' | 'onLost'> {
  /** Keeps the keys and the ledger. */
  store: ServerStore
  /** Whether requests without a key are accepted as long as the store has no keys. Default false. */
  anonymous?: boolean
  /**
   * The URL of a Redis or Valkey server (`redis://…`, needs the package `ioredis`) that counts the requests of several servers
   * together. While it does not answer, each server counts its own. Default: this server counts its own.
   */
  redis?: string
  /** Further keys, without limits: their requests are in the ledger of the default workspace. */
  keys?: readonly string[]
  /** The name of the engine in the ledger. Default: empty. */
  engine?: string
  /**
   * Whether replies cost money, or a function that tells it of a request, for a server with several engines. False for models
   * on this machine: they have no price. Default true.
   *
   * The function is called when a request has ended. It is also called when one begins whose model has no price and whose key has
   * a budget; `attempts` is empty then. If it may cost something, it is refused.
   */
  isPriced?: boolean | ((request: Pick<AccessEntry, 'model' | 'attempts'>) => boolean)
  /** The models with their prices, at the start. Default: the catalogue. */
  models?: readonly ModelEntry[]
  /** Called with the ledger's row of each request, when it has ended. */
  onSettled?: (row: RequestRow) => void
  /** Called with a sentence when a part stops working, and when it works again. */
  onProblem?: (sentence: string) => void
  /** Returns milliseconds since 1970. Default: the machine's clock. */
  now?: () => number
}

/**
 * Opens the access to a server: its keys with their limits and budgets, and the ledger. Pass it to `createServer()`.
 *
 * @example
 * ```ts
 * import { createServer } from '@colloquy/server'
 * import { openAccess } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 * import Anthropic from 'colloquy'
 * import { offline } from 'colloquy/engines'
 *
 * const store = await openServerStore(':memory:') // or a file, or postgres://…
 * const access = await openAccess({ store })
 * const { secret } = await access.keys.create({ name: 'ada' })
 * const { fetch } = createServer({ engine: offline(), access })
 * const client = new Anthropic({ fetch, baseURL: 'http://localhost', apiKey: secret })
 * console.log((await client.models.list()).data.length > 0) // true
 * await access.close()
 * await store.close()
 * ```
 */
export async function openAccess(options: AccessOptions): Promise<StoreAccess> {
  const { redis, onProblem, now } = options
  return new StoreAccess(options, await openCounter({ redis, onProblem, now }))
}

/** The access that a store keeps. */
export class StoreAccess implements Access {
  /** The keys in the store. */
  readonly keys: Keys
  /** The ledger that the routes read. Engines that are `metered()` by another one are in it after its next write. */
  readonly ledger: Ledger
  /** The models with their prices. May be replaced. */
  models: readonly ModelEntry[] | undefined
  readonly #options: AccessOptions
  readonly #now: () => number
  readonly #senders: Senders
  readonly #counter: LimitCounter
  readonly #refusals = new RefusalQuota()
  readonly #admin: { fetch(request: Request): Response | Promise<Response> }
  readonly #onEnd = (begun: BegunRequest, entry: AccessEntry): bigint | undefined => this.#settle(begun, entry)

  /** @internal */
  constructor(options: AccessOptions, counter: LimitCounter) {
    const { store, now = Date.now } = options
    this.#options = options
    this.models = options.models
    this.#now = now
    this.keys = new Keys(store.database, now)
    this.#senders = new Senders(this.keys, { listed: options.keys, anonymous: options.anonymous, now })
    this.#counter = counter
    this.ledger = ledgerOf(options)
    this.#admin = adminApp({
      keys: this.keys,
      database: store.database,
      now,
      onChange: () => this.#senders.forget(),
      flush: () => this.ledger.flush(),
    })
  }

  /** The keys of the option `keys`. May be replaced. */
  get listedKeys(): readonly string[] {
    return this.#senders.listed
  }

  set listedKeys(keys: readonly string[]) {
    this.#senders.listed = keys
  }

  /** Finds the sender of a request. Throws the API's 401. */
  admit(headers: RequestHeaders): Caller | Promise<Caller> {
    return this.#senders.admit(headers)
  }

  recall(keyId: string, workspace: string): Promise<Caller> {
    return this.#senders.recall(keyId, workspace)
  }

  /** Begins a request. Throws the API's 403 or 429. */
  begin(caller: Caller, request: NewRequest): Passage | Promise<Passage> {
    const begun = this.#begun(originOf(caller, request, this.#options.engine), caller.key, request)
    try {
      if (this.ledger.isFull) throw apiError('overloaded_error', 'Overloaded')
      if (!allowsModel(caller.key?.settings ?? {}, request.params.model))
        throw forbidden(caller.key!, request.params.model)
      if (begun.limits === undefined) return this.#reserve(begun, request)
      const counted = this.#counter.begin(begun.counted)
      if (!(counted instanceof Promise)) return this.#counted(begun, counted, request)
      const begin = async (): Promise<Passage> => this.#counted(begun, await counted, request)
      return begin().catch((error: unknown) => {
        throw this.#refused(begun, error)
      })
    } catch (error) {
      throw this.#refused(begun, error)
    }
  }

  record(caller: Caller, request: NewRequest): Passage {
    const origin = originOf(caller, request, this.#options.engine)
    const accounts = caller.key ? accountsOf(caller.key, origin.user_id, origin.started_at) : []
    void this.ledger.begin(flightOf(origin, accounts, 0n), accounts)
    return this.#begun(origin, undefined, request)
  }

  #begun(origin: RequestOrigin, key: KeyRecord | undefined, { bytes }: NewRequest): BegunRequest {
    return new BegunRequest({ origin, key, bytes, onEnd: this.#onEnd })
  }

  checkKey({ key }: Caller, model: string): Promise<void> {
    return checkSpent(this.#options.store, key, { model, now: this.#now() })
  }

  #counted(begun: BegunRequest, result: CountResult, request: NewRequest): Passage | Promise<Passage> {
    const { limits = {}, key } = begun
    const now = this.#now()
    const asked = { limits, keyName: key?.name ?? '', model: request.params.model, now }
    if (result.exceeded !== undefined) throw this.#refused(begun, rateLimitError(result, asked))
    begun.headers = limitHeaders(limits, result.left, now)
    begun.isCounted = true
    return this.#reserve(begun, request)
  }

  #reserve(begun: BegunRequest, { params, bytes, at, isForwarded }: NewRequest): Passage | Promise<Passage> {
    const { key, origin } = begun
    const { isPriced = true } = this.#options
    const accounts = key && isPriced !== false ? accountsOf(key, origin.user_id, at) : []
    const mayCost = (): boolean => isPriced === true || (isPriced && isPriced({ model: params.model, attempts: [] }))
    const ceiling = { bytes, at, models: this.models, mayCost, isForwarded }
    const reserved = accounts.length === 0 ? 0n : ceilingOf(params, ceiling)
    const waiting = this.ledger.begin(flightOf(origin, accounts, reserved), accounts)
    return waiting === undefined ? begun : this.#reserved(begun, waiting, accounts)
  }

  async #reserved(begun: BegunRequest, waiting: Promise<void>, accounts: readonly BudgetAccount[]): Promise<Passage> {
    try {
      await waiting
      return begun
    } catch (error) {
      throw this.#refused(begun, overBudget(error, accounts, begun.key?.name ?? ''))
    }
  }

  /** Records a request that may not begin, and undoes what was counted for it. */
  #refused(begun: BegunRequest, error: unknown): unknown {
    if (begun.isRefused) return error
    begun.isRefused = true
    this.#uncount(begun, 0, 0)
    const row = refusedRow(begun.origin, error, this.#now())
    this.ledger.settle(row, 0n)
    this.#options.onSettled?.(row)
    return error
  }

  refused(entry: AccessEntry, request: UnrecordedRequest): void {
    const { path, status, aborted, key } = entry
    // Probes for other routes and pages of the server itself do not belong to the API.
    if (!path.startsWith('/v1/') || status < 400 || aborted) return
    if (this.ledger.isFull || !this.#refusals.take(key?.id ?? '', this.#now())) return
    const row = uncheckedRow(entry, request)
    this.ledger.settle(row, 0n)
    this.#options.onSettled?.(row)
  }

  #settle(begun: BegunRequest, entry: AccessEntry): bigint | undefined {
    const { isPriced = true, onSettled } = this.#options
    const isCharged = typeof isPriced === 'function' ? isPriced(entry) : isPriced
    const row = requestRow(begun.origin, entry, { models: this.models, isPriced: isCharged })
    const cost = row.cost === null ? undefined : BigInt(row.cost)
    this.ledger.settle(row, cost)
    this.#uncount(begun, row.input + row.cache_write_5m + row.cache_write_1h, row.output)
    onSettled?.(row)
    return cost
  }

  #uncount(begun: BegunRequest, usedInputTokens: number, usedOutputTokens: number): void {
    if (!begun.isCounted) return
    void this.#counter.end({ ...begun.counted, usedInputTokens, usedOutputTokens })
  }

  async admin(request: Request, caller: Caller): Promise<Response> {
    if (!caller.isAdmin) throw apiError('permission_error', 'This key may not use the admin API: it takes an admin key')
    return this.#admin.fetch(request)
  }

  problems(): string[] {
    const { problem, waiting } = this.ledger
    return [
      ...(problem === undefined
        ? []
        : [`Cannot write the ledger: ${reasonOf(problem)}; ${waiting} settled requests wait`]),
      ...(this.#counter.problem === undefined ? [] : [this.#counter.problem]),
    ]
  }

  async close(): Promise<void> {
    try {
      await this.ledger.close()
    } finally {
      await this.#counter.close()
    }
  }
}

function ledgerOf(options: AccessOptions): Ledger {
  const { store, onProblem } = options
  return new Ledger(store.database, {
    ...options,
    onProblem: (error) => onProblem?.(error === undefined ? 'The ledger is written again' : sentenceOf(error)),
    onRefused: ({ id, error }) =>
      onProblem?.(`Cannot store request ${id}, which is not in the ledger: ${sentenceOf(error)}`),
  })
}

function flightOf(origin: RequestOrigin, accounts: readonly BudgetAccount[], reserved: bigint): Flight {
  return { origin, accounts: accounts.map(({ name }) => name), reserved }
}

async function checkSpent(
  { database }: ServerStore,
  key: KeyRecord | undefined,
  { model, now }: { model: string; now: number },
): Promise<void> {
  if (!key) return
  if (!allowsModel(key.settings, model)) throw forbidden(key, model)
  const spending = await readSpending(database, [key], now).catch((error: unknown) => {
    throw withoutStore(error)
  })
  const spent = spending.get(key.id)?.findIndex((each) => each.spent >= budgetPicoUsd(each.budget)) ?? -1
  if (spent >= 0) throw budgetError(accountsOf(key, '', now)[spent]!, key.name)
}

function forbidden({ name, settings }: KeyRecord, model: string): APIError {
  const allowed = settings.models?.join(', ')
  return apiError('permission_error', `The key ${name} may not use the model ${model}, only ${allowed}`)
}

function overBudget(error: unknown, accounts: readonly BudgetAccount[], keyName: string): unknown {
  if (!(error instanceof BudgetExceeded)) return withoutStore(error)
  return budgetError(
    accounts.find(({ name }) => name === error.account)!,
    keyName,
  )
}

/** The reason of a failure of the database, for all who may ask whether the server is ready. */
function reasonOf(error: unknown): string {
  return error instanceof StoreError ? error.reason : 'it failed'
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
