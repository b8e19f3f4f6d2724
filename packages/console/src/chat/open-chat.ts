import { type ReadonlySignal, type Signal, batch, computed, signal } from '@preact/signals'
import { ApiFailure, call, send } from '../api/http.ts'
import type { ConversationJson, PathMessageJson, StopJson } from '../api/types.ts'
import { type MessageJson, readTurn } from 'colloquy/conversation/reader'
import { announce } from '../shell/status.tsx'
import type { AnyBlock } from './message/content-text.ts'
import { Painter } from './message/painter.ts'
import { type Failure, StoredChat } from './stored-chat.ts'

/** The id of a question that is shown until the server has taken it. */
const pending = 'pending'

/** Shows a reply while it arrives. */
type Target = Signal<MessageJson | undefined>

interface Outcome {
  /** Whether the server took the request. Undefined if no answer says so. */
  isAccepted?: boolean
  hadTurn: boolean
  failure: Failure | undefined
}

/** A chat that the page shows: its path, and the reply that is arriving. */
export class OpenChat extends StoredChat {
  readonly live: Signal<MessageJson | undefined> = signal(undefined)
  /** Whether a turn is in flight. */
  readonly isBusy: Signal<boolean> = signal(false)
  /** Whether the turn is being stopped. */
  readonly isStopping: Signal<boolean> = signal(false)
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
  /** The messages that were shown before a turn that may not have begun. */
  #before: PathMessageJson[] | undefined
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
    const isRecorded = await this.#turn('/send', { content, key: newKey() }, withQuestion(this.messages.value, content))
    if (!isRecorded) this.sayKept('Your message was not sent. It is in the field below.')
    return isRecorded
  }

  /** Replaces a message by another version. `rerun`: the model replies to it. Resolves to whether the server took it. */
  async edit(messageId: string, content: string | AnyBlock[], rerun: boolean): Promise<boolean> {
    const shown = (rerun ? withQuestion : withContent)(this.messages.value, content, messageId)
    const isTaken = await this.#turn('/edit', { messageId, content, rerun }, shown)
    if (!isTaken) this.sayKept('Your change was not saved. It is in the field of the message.')
    return isTaken
  }

  /** Asks for another version of a reply, from another model if one is named. */
  async retry(messageId: string | undefined, model?: string): Promise<void> {
    await this.#turn('/retry', { ...(messageId && { messageId }), ...(model && { settings: { model } }) })
  }

  /** Asks another model for a reply to a message, which is shown beside the others and may arrive with them. */
  async askBeside(messageId: string, model: string): Promise<void> {
    this.compared.value = messageId
    if (!this.isBusy.value) return this.retry(messageId, model)
    const reply = signal<MessageJson | undefined>(undefined)
    this.beside.value = [...this.beside.value, reply]
    this.#besideTurns++
    const body = { messageId, settings: { model }, onConflict: 'branch' }
    const { failure } = await this.#outcomeOf(() => post(this.path('/retry'), body), reply)
    this.#besideTurns--
    this.#besideFailure ??= failure
    if (this.#closed.signal.aborted || this.#isFollowing || this.#besideTurns > 0) return
    await this.#showRecorded(() => this.#showEnd(undefined))
  }

  async continue(): Promise<void> {
    await this.#turn('/continue', {})
  }

  /** Joins the turn in flight. */
  async join(): Promise<void> {
    if (!this.isBusy.value) await this.#follow(() => this.#rejoin(undefined))
  }

  async stop(): Promise<void> {
    this.isStopping.value = true
    await call<StopJson>('POST', this.path('/stop'), {}).finally(() => (this.isStopping.value = false))
  }

  /** Resolves to whether the server took the request. @param shown the messages that the page shows until it has. */
  async #turn(path: string, body: unknown, shown = this.messages.value): Promise<boolean> {
    const head = this.messages.value.at(-1)?.id
    this.#before = this.messages.value
    this.messages.value = shown
    this.failure.value = undefined
    this.asked.value++
    const { isAccepted } = await this.#follow(async () => {
      await this.eraseNow()
      return post(this.path(path), body)
    })
    // Another tab, or a terminal, was faster: its reply is arriving.
    if (this.info.value.turn) void this.join()
    return isAccepted ?? ![head, pending].includes(this.messages.value.at(-1)?.id)
  }

  /** Reads the events of a turn to its end, then the chat as it is recorded, and joins the next turn if one has begun. */
  async #follow(request: () => Promise<Response>): Promise<Outcome> {
    this.isBusy.value = this.#isFollowing = true
    this.#besideFailure = undefined
    const first = await this.#followOne(request)
    while (this.#isFollowing && !this.#closed.signal.aborted) await this.#followOne(() => this.#rejoin(undefined))
    return first
  }

  async #followOne(request: () => Promise<Response>): Promise<Outcome> {
    const outcome = await this.#outcomeOf(request, this.live)
    if (this.#closed.signal.aborted) return outcome
    await this.#showRecorded((info) => {
      // The turn in flight may be one whose reply arrives beside this one.
      this.#isFollowing = !!info?.turn && outcome.hadTurn && !outcome.failure && this.#besideTurns === 0
      this.#showEnd(outcome.failure)
    })
    return outcome
  }

  /** Shows that a turn has ended; that all have, if it was the last one. */
  #showEnd(failure: Failure | undefined): void {
    this.showFailure(failure ?? this.#besideFailure)
    if (this.#besideTurns === 0) this.beside.value = []
    this.isBusy.value = this.#isFollowing || this.#besideTurns > 0
  }

  async #outcomeOf(request: () => Promise<Response>, target: Target): Promise<Outcome> {
    let response: Response
    try {
      response = await request()
    } catch (error) {
      const isRefused = error instanceof ApiFailure && error.status > 0
      return { ...(isRefused && { isAccepted: false }), hadTurn: true, failure: failureOf(error) }
    }
    // 204: the turn has ended meanwhile.
    const outcome: Outcome = { hadTurn: response.status !== 204, failure: undefined }
    if (outcome.hadTurn) outcome.failure = await this.#read(response, target, outcome).catch(failureOf)
    // The reader has left, and waits for no event.
    if (this.#closed.signal.aborted) outcome.isAccepted = true
    return outcome
  }

  /** Notes in the outcome that an event has come: an answer without one does not say that the turn has begun. */
  async #read(response: Response, target: Target, outcome: Outcome): Promise<Failure | undefined> {
    const reader = readTurn(response, {
      resume: (lastEventId) => this.#rejoin(lastEventId),
      signal: this.#closed.signal,
    })
    const painter = new Painter(target, announce)
    for await (const event of reader) {
      outcome.isAccepted = true
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
      else if (arrived || !this.#before) this.showArrived(arrived)
      else this.messages.value = this.#before
      if (info) this.#before = undefined
      also?.(info)
    })
  }

  #rejoin(lastEventId: string | undefined): Promise<Response> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    return send(this.path('/turn'), { signal: this.#closed.signal, headers })
  }
}

/** The request is not given up when the reader goes to another chat: its message would be lost. */
function post(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return send(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** The messages with a question at their end, or in place of one and those that follow it. The recorded ones replace them. */
function withQuestion(
  messages: PathMessageJson[],
  content: string | AnyBlock[],
  replacedId?: string,
): PathMessageJson[] {
  const index = messages.findIndex(({ id }) => id === replacedId)
  const before = index === -1 ? messages : messages.slice(0, index)
  const message = { id: pending, parentId: before.at(-1)?.id, role: 'user', content, versions: [pending] }
  const question = { ...message, state: 'committed', createdAt: new Date().toISOString() }
  return [...before, question as PathMessageJson]
}

/** The messages, one of them with other content. */
function withContent(messages: PathMessageJson[], content: string | AnyBlock[], id: string): PathMessageJson[] {
  return messages.map((message) => (message.id === id ? ({ ...message, content } as PathMessageJson) : message))
}

/** A key that no other message has. Not `randomUUID()`: a page over plain HTTP, as in a local network, does not have that. */
function newKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-')
}

function failureOf(error: unknown): Failure {
  const { message, type, requestId } = error as Error & Partial<Failure>
  return { type: type ?? 'error', message, requestId }
}
