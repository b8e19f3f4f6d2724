import { type ReadonlySignal, type Signal, batch, computed, signal } from '@preact/signals'
import { call, send } from '../api/http.ts'
import type { ConversationJson, PathMessageJson, StopJson } from '../api/types.ts'
import { type MessageJson, readTurn } from 'colloquy/conversation/reader'
import { announce } from '../shell/status.tsx'
import type { AnyBlock } from './message/content-text.ts'
import { Painter } from './message/painter.ts'
import { type Failure, StoredChat } from './stored-chat.ts'

interface Outcome {
  hadTurn: boolean
  failure: Failure | undefined
}

/** A chat that the page shows: its path, and the reply that is arriving. */
export class OpenChat extends StoredChat {
  readonly live: Signal<MessageJson | undefined> = signal(undefined)
  /** Whether a turn is in flight. */
  readonly isBusy: Signal<boolean> = signal(false)
  /** How many turns were begun in this page. */
  readonly asked: Signal<number> = signal(0)
  /** How long replies took that arrived in this page, in milliseconds by message. */
  readonly times: Map<string, number> = new Map()
  /** The message whose replies are shown side by side. */
  readonly compared: Signal<string | undefined> = signal(undefined)
  /** The replies of other models that arrive at the same time as that of the path. They stay until all have ended. */
  readonly beside: Signal<readonly Signal<MessageJson | undefined>[]> = signal([])
  /** The message whose replies are arriving. */
  readonly answered: ReadonlySignal<string | undefined> = computed(() =>
    this.beside.value.length > 0 ? this.compared.value : this.live.value?.parentId,
  )
  /** How many replies beside the path have not ended, and the failure of one. */
  #besideTurns = 0
  #besideFailure: Failure | undefined
  #isFollowing = false
  readonly #closed = new AbortController()

  constructor(info: ConversationJson) {
    super(info)
    if (info.turn) void this.join()
  }

  /** Stops reading. A turn in flight continues on the server. */
  close(): void {
    this.#closed.abort()
  }

  /** Reads the chat again, for example when another tab or a terminal has changed it. */
  async refresh(): Promise<void> {
    const info = await call<ConversationJson>('GET', this.path(''))
    // A turn that began meanwhile shows its own end.
    if (this.isBusy.value) return
    this.show(info)
    if (info.turn) void this.join()
  }

  /** Sends a message. Resolves to whether it was recorded: a message that is refused is not. */
  async send(content: string | AnyBlock[]): Promise<boolean> {
    const head = this.messages.value.at(-1)?.id
    this.#expect({ id: 'pending', parentId: head, role: 'user', content })
    await this.#turn('/send', { content, key: crypto.randomUUID() })
    const isRecorded = this.messages.value.at(-1)?.id !== head
    if (!isRecorded) this.failure.value &&= { ...this.failure.value, isUnsent: true }
    return isRecorded
  }

  /** Replaces a message by another version. `rerun`: the model replies to it. */
  edit(messageId: string, content: string | AnyBlock[], rerun: boolean): Promise<void> {
    if (rerun) this.#cutBefore(messageId, content)
    return this.#turn('/edit', { messageId, content, rerun })
  }

  /** Asks for another version of a reply, from another model if one is named. */
  retry(messageId: string | undefined, model?: string): Promise<void> {
    const reply = this.messages.value.findLast(({ role }) => role === 'assistant')
    if (!messageId && reply) this.#cutBefore(reply.id)
    return this.#turn('/retry', { ...(messageId && { messageId }), ...(model && { settings: { model } }) })
  }

  /** Asks another model for a reply to a message, which is shown beside the others and may arrive with them. */
  async askBeside(messageId: string, model: string): Promise<void> {
    this.compared.value = messageId
    if (!this.isBusy.value) return this.retry(messageId, model)
    const reply = signal<MessageJson | undefined>(undefined)
    this.beside.value = [...this.beside.value, reply]
    this.#besideTurns++
    const body = { messageId, settings: { model }, onConflict: 'branch' }
    const { failure } = await this.#outcomeOf(() => this.#post('/retry', body), reply)
    this.#besideTurns--
    this.#besideFailure ??= failure
    if (this.#closed.signal.aborted || this.#isFollowing || this.#besideTurns > 0) return
    await this.#showRecorded(() => this.#showEnd(undefined))
  }

  continue(): Promise<void> {
    return this.#turn('/continue', {})
  }

  /** Joins the turn in flight. */
  async join(): Promise<void> {
    if (!this.isBusy.value) await this.#follow(() => this.#rejoin(undefined))
  }

  async stop(): Promise<void> {
    await call<StopJson>('POST', this.path('/stop'), {})
  }

  /** Shows a question at once. The recorded one takes its place. */
  #expect(message: { id: string; parentId: string | undefined; role: string; content: string | AnyBlock[] }): void {
    const shown = { ...message, state: 'committed', createdAt: new Date().toISOString(), versions: [message.id] }
    this.messages.value = [...this.messages.value, shown as PathMessageJson]
  }

  #cutBefore(messageId: string, content?: string | AnyBlock[]): void {
    const index = this.messages.value.findIndex(({ id }) => id === messageId)
    if (index === -1) return
    const parentId = this.messages.value[index - 1]?.id
    this.messages.value = this.messages.value.slice(0, index)
    if (content) this.#expect({ id: 'pending', parentId, role: 'user', content })
  }

  #turn(path: string, body: unknown): Promise<void> {
    this.asked.value++
    return this.#follow(async () => {
      await this.eraseNow()
      return this.#post(path, body)
    })
  }

  #post(path: string, body: unknown): Promise<Response> {
    return send(this.path(path), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: this.#closed.signal,
    })
  }

  /** Reads the events of a turn to its end, then the chat as it is recorded, and joins the next turn if one has begun. */
  async #follow(request: () => Promise<Response>): Promise<void> {
    this.isBusy.value = this.#isFollowing = true
    this.failure.value = this.#besideFailure = undefined
    for (let next: typeof request | undefined = request; next;) {
      const outcome: Outcome = await this.#outcomeOf(next, this.live)
      if (this.#closed.signal.aborted) return
      let hasNext = false
      await this.#showRecorded((info) => {
        // The turn in flight may be one whose reply arrives beside this one.
        hasNext = !!info?.turn && outcome.hadTurn && !outcome.failure && this.#besideTurns === 0
        this.#isFollowing = hasNext
        this.#showEnd(outcome.failure)
      })
      next = hasNext ? () => this.#rejoin(undefined) : undefined
    }
  }

  /** Shows that a turn has ended; that all have, if it was the last one. */
  #showEnd(failure: Failure | undefined): void {
    this.failure.value = failure ?? this.#besideFailure
    if (this.#besideTurns === 0) this.beside.value = []
    this.isBusy.value = this.#isFollowing || this.#besideTurns > 0
  }

  async #outcomeOf(request: () => Promise<Response>, target: Signal<MessageJson | undefined>): Promise<Outcome> {
    try {
      const response = await request()
      // 204: the turn has ended meanwhile.
      if (response.status === 204) return { hadTurn: false, failure: undefined }
      return { hadTurn: true, failure: await this.#read(response, target) }
    } catch (error) {
      return { hadTurn: true, failure: failureOf(error) }
    }
  }

  async #read(response: Response, target: Signal<MessageJson | undefined>): Promise<Failure | undefined> {
    const reader = readTurn(response, {
      resume: (lastEventId) => this.#rejoin(lastEventId),
      signal: this.#closed.signal,
    })
    const painter = new Painter(target, announce)
    for await (const event of reader) {
      if (event.type === 'step_start') {
        // The question is recorded by now, and so is the step before.
        if (target === this.live) await this.#showRecorded()
        painter.begin()
      }
      if (event.type === 'step_end') this.times.set(event.message.id, painter.elapsedMs)
      painter.show(reader.message)
    }
    if (!reader.end) return undefined
    painter.end(reader.end)
    const { error } = reader.end
    return error ? { ...error, requestId: error.requestId ?? undefined } : undefined
  }

  /**
   * Shows the recorded messages in place of those that are arriving. Those that were never recorded disappear. `also` is
   * called together with it, so that the page changes once.
   */
  async #showRecorded(also?: (info: ConversationJson | undefined) => void): Promise<void> {
    const info = await call<ConversationJson>('GET', this.path('')).catch(() => undefined)
    batch(() => {
      const { value: arrived } = this.live
      this.live.value = undefined
      if (info) this.show(info)
      else this.showArrived(arrived)
      also?.(info)
    })
  }

  #rejoin(lastEventId: string | undefined): Promise<Response> {
    const headers = lastEventId === undefined ? undefined : { 'last-event-id': lastEventId }
    return send(this.path('/turn'), { signal: this.#closed.signal, ...(headers && { headers }) })
  }
}

function failureOf(error: unknown): Failure {
  const { message, type, requestId } = error as Error & Partial<Failure>
  return { type: type ?? 'error', message, requestId }
}
