import type { Engine, EngineContext } from 'colloquy/engines'
import type { MessageCreateParams, MessageStreamEvent, PingEvent } from 'colloquy/protocol'
import { loggedReply } from './logged-reply.ts'
import { RequestLog } from '../../operate/request-log.ts'
import type { Access } from '../../access/access.ts'

/**
 * An engine for conversations whose owners are the ids of keys. A request passes the models, limits and budgets of the key, and is
 * recorded as its own, with the source `chat`. Without an owner it is recorded without a key.
 *
 * Throws the API's 401 if the key is not valid any more, and its 403 or 429 as a server does.
 *
 * @example
 * ```ts
 * import { charged, listRequests, openAccess } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 * import { openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 *
 * const store = await openServerStore(':memory:')
 * const access = await openAccess({ store })
 * const { key } = await access.keys.create({ name: 'ada', budgets: [{ usd: '5', per: 'day' }] })
 * const conversations = openConversations({ engine: charged(offline(), access) })
 * const chat = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100, owner: key.id })
 * await chat.send('What is 6 * 7?')
 * await access.ledger.flush()
 * const [request] = await listRequests(store.database, { limit: 1 })
 * console.log(request?.source, request?.key_id === key.id) // chat true
 * await access.close()
 * await store.close()
 * ```
 */
export function charged(engine: Engine, access: Access): Engine {
  async function* reply(
    log: RequestLog,
    params: MessageCreateParams,
    context: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const caller = await access.recall(context.owner ?? '', 'default')
    const { requestId } = log
    const bytes = new TextEncoder().encode(JSON.stringify(params)).length
    const headers = new Headers()
    log.admitted(caller)
    log.began(await access.begin(caller, { requestId, params, headers, bytes, at: Date.now(), source: 'chat' }))
    yield* engine(params, { ...context, requestId, onAttempt: (attempt) => log.attempted(attempt) })
  }
  async function* chargedReply(
    params: MessageCreateParams,
    context: EngineContext = {},
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const log = new RequestLog({ method: 'POST', path: '/v1/messages' }, { now: Date.now })
    log.accepted(params)
    yield* loggedReply(reply(log, params, context), log, context.signal)
  }
  return Object.assign(chargedReply, engine)
}
