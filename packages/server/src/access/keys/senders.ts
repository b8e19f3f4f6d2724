import { withoutStore } from '../../messages/error-answer.ts'
import type { Caller } from '../access.ts'
import { includesConstantTime, keyOf, noKey, wrongKey } from '../auth.ts'
import { KeyCache } from './key-cache.ts'
import { KeyError } from './key-error.ts'
import type { KeyRecord, Keys } from './keys.ts'
import { hintOf } from './secret.ts'
import type { RequestHeaders } from '../request-headers.ts'

interface SendersOptions {
  /** Keys besides those of the store. Default: none. */
  listed?: readonly string[] | undefined
  /** Whether requests without a key are accepted as long as there are none. Default false. */
  anonymous?: boolean | undefined
  now: () => number
}

/** Finds the senders of requests by their keys. */
export class Senders {
  /** Keys besides those of the store. May be replaced. */
  listed: readonly string[]
  readonly #keys: Keys
  readonly #cache: KeyCache
  readonly #isAnonymous: boolean
  readonly #now: () => number

  constructor(keys: Keys, { listed = [], anonymous = false, now }: SendersOptions) {
    this.listed = listed
    this.#keys = keys
    this.#cache = new KeyCache(keys, now)
    this.#isAnonymous = anonymous
    this.#now = now
  }

  /** Forgets what was looked up, after a key was changed here. */
  forget(): void {
    this.#cache.clear()
  }

  /** Finds the sender of a request. Throws the API's 401. */
  admit(headers: RequestHeaders): Caller | Promise<Caller> {
    const secret = keyOf(headers)
    if (secret === undefined || secret === '') return this.#anonymous(noKey)
    const found = this.#cache.find(secret)
    if (found instanceof Promise) return this.#lookedUp(found, headers, secret)
    return found ? callerOf(found) : this.#other(headers, secret)
  }

  async #lookedUp(finding: Promise<KeyRecord | undefined>, headers: RequestHeaders, secret: string): Promise<Caller> {
    const found = await finding.catch(unavailable)
    return found ? callerOf(found) : this.#other(headers, secret)
  }

  /** A key that is not in the store. */
  #other(headers: RequestHeaders, secret: string): Caller | Promise<Caller> {
    return includesConstantTime(this.listed, secret)
      ? callerOf(listedKey(secret))
      : this.#anonymous(() => wrongKey(headers))
  }

  async #anonymous(refusal: () => Error): Promise<Caller> {
    if (!this.#isAnonymous || this.listed.length > 0 || (await this.#cache.any().catch(unavailable))) throw refusal()
    return { key: undefined, workspace: 'default', isAdmin: true }
  }

  /** Finds the sender of work that is done later, by the id of its key: empty without one. Throws the API's 401. */
  async recall(keyId: string, workspace: string): Promise<Caller> {
    if (keyId === '') return { key: undefined, workspace, isAdmin: false }
    const listed = this.listed.find((secret) => listedKey(secret).id === keyId)
    if (listed !== undefined) return callerOf(listedKey(listed))
    const key = await this.#keys.get(keyId).catch((error: unknown) => {
      throw error instanceof KeyError ? wrongKey(new Headers()) : withoutStore(error)
    })
    const isOver = key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= this.#now())
    if (isOver) throw wrongKey(new Headers())
    return callerOf(key)
  }
}

function callerOf(key: KeyRecord): Caller {
  return { key, workspace: key.workspace, isAdmin: key.isAdmin }
}

const listedPrefix = 'listed:'

/** Whether a key is one of the option `keys`. */
export function isListed({ id }: KeyRecord): boolean {
  return id.startsWith(listedPrefix)
}

/** A key of the option `keys`. Its id tells no more of it than a list would. */
function listedKey(secret: string): KeyRecord {
  const hint = hintOf(secret)
  return {
    id: `${listedPrefix}${hint}`,
    name: hint,
    workspace: 'default',
    isAdmin: false,
    hint,
    createdAt: 0,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    settings: {},
  }
}

function unavailable(error: unknown): never {
  throw withoutStore(error)
}
