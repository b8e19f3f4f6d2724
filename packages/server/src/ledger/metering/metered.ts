import { type Engine, type EngineContext, newId } from 'colloquy/engines'
import type { MessageCreateParams, MessageStreamEvent, PingEvent } from 'colloquy/protocol'
import { type AccessEntry, RequestLog } from '../../operate/request-log.ts'
import type { Ledger } from '../ledger.ts'
import { loggedReply } from './logged-reply.ts'
import { type Pricing, type RequestOrigin, requestRow } from '../request-row.ts'

/** Facts about the requests of an engine that it does not know itself. */
export interface MeteredRequest extends Pricing, Pick<RequestOrigin, 'source' | 'engine'> {
  /** Default: `default`. */
  workspace?: string
  /** The id of the key that pays. Default: none. */
  keyId?: string
}

/**
 * An engine whose requests are recorded in a ledger, as those of a server are.
 *
 * @param open called when a request has ended. Its error is ignored: a ledger that fails does not stop a conversation.
 * @param facts called when a request begins.
 *
 * @example
 * ```ts
 * import { Ledger, listRequests, metered } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 * import { openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 *
 * const store = await openServerStore(':memory:')
 * const ledger = new Ledger(store.database)
 * const engine = metered(offline(), async () => ledger, () => ({ source: 'batch', engine: 'offline', isPriced: false }))
 * const chat = await openConversations({ engine }).create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
 * await chat.send('What is 6 * 7?')
 * await ledger.flush()
 * console.log((await listRequests(store.database, { limit: 1 }))[0]?.source) // batch
 * await ledger.close()
 * await store.close()
 * ```
 */
export function metered(engine: Engine, open: () => Promise<Ledger>, facts: () => MeteredRequest): Engine {
  async function* recorded(
    params: MessageCreateParams,
    context?: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const request = facts()
    const origin = originOf(params, request)
    const settle = (entry: AccessEntry): void => {
      void open().then(
        (ledger) => ledger.settle(requestRow(origin, entry, request), undefined),
        () => {},
      )
    }
    const log = new RequestLog({ method: 'POST', path: '/v1/messages' }, { now: Date.now, write: settle })
    yield* loggedReply(engine(params, context), log, context?.signal)
  }
  return Object.assign(recorded, engine)
}

function originOf(params: MessageCreateParams, { source, engine, workspace, keyId }: MeteredRequest): RequestOrigin {
  return {
    id: newId('req_01'),
    started_at: Date.now(),
    workspace: workspace ?? 'default',
    key_id: keyId ?? '',
    user_id: params.metadata?.user_id ?? '',
    conversation: '',
    source,
    path: '/v1/messages',
    engine,
    model: params.model,
  }
}
