import { newId } from 'colloquy/engines'
import { accumulate, apiError, type MessageParam, parseJson } from 'colloquy/protocol'
import { differingFields, fixedFields, type FixedFields, inheritedFields } from './fixed-fields.ts'
import { historyOf, withoutMarks } from './history.ts'
import type { NewReply, ThreadOwner, ThreadRow, ThreadStore } from './thread-store.ts'
import type { ReplyEvent, ReplyEvents } from '../reply/reply-events.ts'

/** How a server keeps threads. */
export interface ThreadSettings {
  /** Milliseconds after its last reply in which a thread can be continued. Default 300,000, as in the API. */
  expireMs?: number
  /** Milliseconds without a sign of life after which the request that continues a thread counts as lost. Default 30,000. */
  leaseMs?: number
}

/** A request with `thread`, and who sent it. */
export interface ThreadRequest {
  body: FixedFields
  version: string
  betas: readonly string[]
  owner: ThreadOwner
}

const pruneEveryMs = 60_000
/** The longest history, as for a request that holds it itself. */
const mostCharacters = 32 * 1024 * 1024

/** The threads that a server keeps for its clients, so that requests send only what is new. */
export class Threads {
  readonly #store: ThreadStore
  readonly #now: () => number
  readonly #settings: Required<ThreadSettings>
  readonly #pruning: ReturnType<typeof setInterval>

  constructor(store: ThreadStore, now: () => number, settings: ThreadSettings = {}) {
    this.#store = store
    this.#now = now
    this.#settings = { expireMs: 300_000, leaseMs: 30_000, ...settings }
    // A database that does not answer is tried at the next time.
    this.#pruning = setInterval(() => void store.prune(now()).catch(() => {}), pruneEveryMs)
    this.#pruning.unref?.()
  }

  /**
   * Begins a turn if the request has the field `thread`, and reserves the right to continue. Throws the API's 404 or 400. The
   * shape of the field is checked with the rest of the request, by the caller.
   */
  async open(request: ThreadRequest): Promise<ThreadTurn | undefined> {
    const { body, owner } = request
    const { type, previous_message_id: id } = (body['thread'] ?? {}) as {
      type?: unknown
      previous_message_id?: unknown
    }
    const parts = { store: this.#store, now: this.#now, owner, ...this.#settings }
    if (type === 'create') return new ThreadTurn(parts, { body, fixed: fixedFields(body, request), history: [] })
    if (type !== 'continue' || typeof id !== 'string') return undefined
    const row = await this.#continuable(request, id)
    const fixed = parseJson(row.fixed) as FixedFields
    const differing = differingFields(fixed, fixedFields(body, request))
    if (differing.length > 0)
      throw refusal(
        'fingerprint_mismatch',
        `the request does not match its thread; differing field(s): ${differing.join(', ')}`,
      )
    const texts = await this.#store.history(row)
    const turn = new ThreadTurn(parts, { body: { ...body, ...inheritedFields(fixed) }, fixed, history: texts, row })
    await turn.claim()
    return turn
  }

  async #continuable({ owner }: ThreadRequest, id: string): Promise<ThreadRow> {
    const row = await this.#store.find(owner, id)
    const now = this.#now()
    if (row === undefined || row.expires_at <= now) throw notFound(id)
    if (row.head !== id) throw refusal('already_continued', `${named(id)} has already been continued`)
    if (row.claim_owner !== null && row.claim_until! >= now) throw inFlight(id)
    return row
  }

  /** Ends the regular erasing of old threads. */
  close(): void {
    clearInterval(this.#pruning)
  }
}

interface TurnParts extends Required<ThreadSettings> {
  store: ThreadStore
  now: () => number
  owner: ThreadOwner
}

interface TurnStart {
  body: FixedFields
  fixed: FixedFields
  /** JSON of the stored messages. */
  history: readonly string[]
  /** The thread to continue. Undefined to create one. */
  row?: ThreadRow
}

/** One request of a thread: its whole conversation, and the place where its reply is stored. */
export class ThreadTurn {
  /** The request as it would be without threads. */
  readonly body: FixedFields
  /** The bytes that the stored history adds to the request. */
  readonly addedBytes: number
  readonly #parts: TurnParts
  readonly #start: TurnStart
  readonly #claim = newId('claim_01')
  #renewing: ReturnType<typeof setInterval> | undefined

  constructor(parts: TurnParts, start: TurnStart) {
    this.#parts = parts
    this.#start = start
    const { body, history } = start
    this.addedBytes = history.reduce((sum, { length }) => sum + length, 0)
    if (this.addedBytes > mostCharacters) throw apiError('request_too_large', 'Request exceeds the maximum size')
    const { messages } = body
    // Messages that are not a list are refused with the rest of the request.
    const isList = start.row !== undefined && Array.isArray(messages)
    this.body = isList ? { ...body, messages: [...historyOf(history), ...(messages as unknown[])] } : body
  }

  /** Reserves the right to continue the thread, and keeps it until the turn ends. Throws the API's 400. */
  async claim(): Promise<void> {
    const { store, now, leaseMs } = this.#parts
    const { row } = this.#start
    if (row === undefined) return
    const at = now()
    if (!(await store.claim(row, this.#claim, { now: at, until: at + leaseMs }))) throw inFlight(row.head)
    const renew = (): Promise<void> => store.renew(row.id, this.#claim, now() + leaseMs)
    this.#renewing = setInterval(() => void renew().catch(() => {}), leaseMs / 3)
    this.#renewing.unref?.()
  }

  /** The same events. The reply is stored before its last event is passed on, so that it can be continued at once. */
  async *stored(events: ReplyEvents): AsyncGenerator<ReplyEvent> {
    const seen: ReplyEvent[] = []
    try {
      for await (const event of events) {
        if (event.type !== 'ping') seen.push(event)
        // A thread is best effort: a client whose thread was not stored sends the whole conversation.
        if (event.type === 'message_stop') await this.#store(seen).catch(() => {})
        yield event
      }
    } finally {
      await this.release()
    }
  }

  /** Gives the right to continue back, if the turn did not store a reply. */
  async release(): Promise<void> {
    if (this.#renewing === undefined) return
    clearInterval(this.#renewing)
    this.#renewing = undefined
    // Without the database the claim runs out by itself.
    await this.#parts.store.renew(this.#start.row!.id, this.#claim, null).catch(() => {})
  }

  async #store(events: readonly ReplyEvent[]): Promise<void> {
    const { store, now, owner, expireMs } = this.#parts
    const { id, content, usage } = await accumulate(events)
    // Another model wrote it, which the fixed parameters do not name.
    if (usage.iterations?.some(({ type }) => type === 'fallback_message')) return
    const sent = this.#start.body['messages'] as MessageParam[]
    // The API accepts no message without content, though it may reply without.
    const messages = content.length > 0 ? [...sent, { role: 'assistant', content }] : sent
    const reply: NewReply = { id, messages: JSON.stringify(withoutMarks(messages)), expiresAt: now() + expireMs }
    const { row, fixed } = this.#start
    if (row === undefined) await store.create(newId('thread_01'), owner, JSON.stringify(fixed), reply)
    else await store.append(row.id, owner, this.#claim, reply)
  }
}

function named(id: string): string {
  return `the response ${JSON.stringify(id.slice(0, 100))}`
}

function inFlight(id: string): Error {
  return refusal('continue_in_flight', `another request is continuing ${named(id)}`)
}

function refusal(code: string, problem: string): Error {
  return apiError('invalid_request_error', `thread: ${problem}`, { error_code: `thread_${code}` })
}

function notFound(id: string): Error {
  const found = `thread_not_found: no thread of this key ends with ${named(id)}, or it has expired`
  return apiError('not_found_error', `${found}. Send the whole conversation with \`thread.type\` "create"`, {
    error_code: 'thread_not_found',
  })
}
