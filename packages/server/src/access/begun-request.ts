import type { RequestOrigin } from '../ledger/request-row.ts'
import type { AccessEntry } from '../operate/request-log.ts'
import type { Caller, NewRequest, Passage } from './access.ts'
import type { KeyRecord } from './keys/keys.ts'
import type { CountedRequest } from './limits/counter.ts'
import type { KeyLimits } from './keys/settings.ts'
import { modelClass } from './limits/rate-limits.ts'
import { namedBy } from './origin.ts'

interface BegunParts {
  origin: RequestOrigin
  key: KeyRecord | undefined
  bytes: number
  /** Returns the cost in picodollars; undefined without a price. */
  onEnd: (begun: BegunRequest, entry: AccessEntry) => bigint | undefined
}

/** A request between its begin and its end. */
export class BegunRequest implements Passage {
  readonly origin: RequestOrigin
  readonly key: KeyRecord | undefined
  readonly limits: KeyLimits | undefined
  headers: Passage['headers'] = []
  isCounted = false
  isRefused = false
  readonly #bytes: number
  readonly #onEnd: BegunParts['onEnd']

  constructor({ origin, key, bytes, onEnd }: BegunParts) {
    this.origin = origin
    this.key = key
    this.#onEnd = onEnd
    this.limits = origin.source === 'batch' ? undefined : key?.settings.limits
    this.#bytes = bytes
  }

  settle(entry: AccessEntry): bigint | undefined {
    return this.#onEnd(this, entry)
  }

  get counted(): CountedRequest {
    const { id, key_id, model } = this.origin
    const counter = `${key_id}/${modelClass(model)}`
    // Four bytes make a token, roughly. The counts are corrected by the usage of the reply.
    return { counter, requestId: id, limits: this.limits ?? {}, inputTokens: Math.ceil(this.#bytes / 4) }
  }
}

const paths = { api: '/v1/messages', chat: '/v1/messages', batch: '/v1/messages/batches' }

/** The facts about a request that the ledger records. */
export function originOf({ key, workspace }: Caller, request: NewRequest, engine = ''): RequestOrigin {
  const { requestId, params, headers, at, source = 'api' } = request
  const { user, conversation } = namedBy(params, headers)
  return {
    id: requestId,
    started_at: at,
    workspace,
    key_id: key?.id ?? '',
    user_id: user,
    conversation,
    source,
    path: paths[source],
    engine,
    model: params.model,
  }
}
