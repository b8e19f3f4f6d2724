import { pingAfterMs } from '../../cache/keep-alive.ts'
import { ReplyBuilder } from '../../history/reply-builder.ts'
import type { CacheKeeper, KeptRequest, TurnScope } from '../scope.ts'
import { askEngine, withoutEvents } from './ask.ts'
import { beginRequest, ceilingWithin, isLimited } from './begin.ts'
import { keepReply } from './keep.ts'

/**
 * Reads the cache entry of each conversation's last request again shortly before it ends, while its user pauses. Each ping
 * is a request that is reserved, recorded and counted like any other. An error ends the pings of the conversation.
 */
export class KeepAlive implements CacheKeeper {
  readonly #waiting = new Map<string, ReturnType<typeof setTimeout>>()
  readonly #running = new Set<Promise<void>>()
  readonly #closed = new AbortController()

  start(scope: TurnScope, request: KeptRequest): void {
    const { id } = scope.state
    this.stop(id)
    if (request.pings === 0 || request.params.thinking?.type === 'enabled' || this.#closed.signal.aborted) return
    const timer = setTimeout(() => {
      const ping = this.#ping(scope, request, timer)
      this.#running.add(ping)
      void ping.finally(() => this.#running.delete(ping))
    }, pingAfterMs)
    if (typeof timer === 'object') timer.unref()
    this.#waiting.set(id, timer)
  }

  stop(id: string): void {
    clearTimeout(this.#waiting.get(id))
    this.#waiting.delete(id)
  }

  /** Stops the pings of all conversations. Resolves when those in flight are recorded. */
  async close(): Promise<void> {
    this.#closed.abort()
    for (const id of this.#waiting.keys()) this.stop(id)
    await Promise.all(this.#running)
  }

  async #ping(turn: TurnScope, request: KeptRequest, timer: ReturnType<typeof setTimeout>): Promise<void> {
    const { state } = turn
    try {
      const at = Date.now()
      await ping({ ...turn, control: withoutEvents(turn.control, this.#closed.signal) }, request)
      state.cache.pinged(at)
      // Unless the next turn has begun in the meantime.
      if (this.#waiting.get(state.id) === timer) this.start(turn, { ...request, pings: request.pings - 1 })
    } catch {
      // A limit, another process that changed the conversation, or the API: the user did not ask for this request.
      if (this.#waiting.get(state.id) === timer) this.stop(state.id)
    }
  }
}

/** Sends the request once more, with a reply of one token. It is recorded beside the path. */
async function ping(scope: TurnScope, { params: sent, context, limits, user }: KeptRequest): Promise<void> {
  const { state } = scope
  const params = { ...sent, max_tokens: 1 }
  // The prompt is that of the last turn, without its reply.
  const { usedTokens } = state.history
  const input = { settings: params, params: () => params, usedTokens, added: [], countTokens: async () => undefined }
  const ceiling = isLimited(limits) ? await ceilingWithin(limits, input) : undefined
  const begun = await state.changes.run(async () => {
    if (state.activity.type !== 'idle') throw state.conflict('busy')
    const { history } = state
    return beginRequest(scope, {
      role: 'summary',
      history,
      parent: history.last?.number ?? 0,
      messages: [],
      limits,
      ceiling,
      user,
    })
  })
  const outcome = await askEngine(scope, {
    params,
    context,
    handle: begun.handle,
    builder: new ReplyBuilder(),
    dropped: 0,
  })
  await keepReply(scope, begun, { step: { ...outcome.step, json: '', received: null } })
  if (outcome.error !== undefined) throw outcome.error
}
