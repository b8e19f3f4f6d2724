import { type ReadonlySignal, type Signal, batch, computed, signal } from '@preact/signals'
import { call, send } from '../api/http.ts'
import type { ConversationJson, PageJson, PathMessageJson, SendBody, StopJson, TreeJson } from '../api/types.ts'
import { type MessageJson, readTurn } from 'colloquy/conversation/reader'
import { announce } from '../shell/status.tsx'
import type { AnyBlock } from './message/content-text.ts'
import { Painter } from './painter.ts'

/** An error that ended a turn, or that kept it from beginning. */
export interface Failure {
  type: string
  message: string
  requestId?: string | undefined
}

/** A chat that the page shows: its path, and the reply that is arriving. */
export class OpenChat {
  readonly id: string
  readonly info: Signal<ConversationJson>
  readonly messages: Signal<PathMessageJson[]>
  readonly hasEarlier: Signal<boolean>
  readonly live: Signal<MessageJson | undefined> = signal(undefined)
  readonly failure: Signal<Failure | undefined> = signal(undefined)
  /** Whether a turn is in flight. */
  readonly isBusy: Signal<boolean> = signal(false)
  /** How long replies took that arrived in this page, in milliseconds by message. */
  readonly times: Map<string, number> = new Map()
  readonly tree: Signal<TreeJson | undefined> = signal(undefined)
  readonly title: ReadonlySignal<string> = computed(() => this.info.value.title ?? 'New chat')
  readonly #closed = new AbortController()

  constructor(info: ConversationJson) {
    this.id = info.id
    this.info = signal(info)
    this.messages = signal(info.path.data)
    this.hasEarlier = signal(info.path.hasMore)
    if (info.turn) void this.join()
  }

  /** Stops reading. A turn in flight continues on the server. */
  close(): void {
    this.#closed.abort()
  }

  /** Reads the chat again, for example when another tab or a terminal has changed it. */
  async refresh(): Promise<void> {
    const info = await call<ConversationJson>('GET', this.#path(''))
    // A turn that began meanwhile shows its own end.
    if (this.isBusy.value) return
    this.#show(info)
    if (info.turn) void this.join()
  }

  async loadEarlier(): Promise<void> {
    const [first] = this.messages.value
    if (!first) return
    const page = await call<PageJson<PathMessageJson>>('GET', this.#path(`/messages?before=${first.id}&limit=50`))
    batch(() => {
      this.messages.value = [...page.data, ...this.messages.value]
      this.hasEarlier.value = page.hasMore
    })
  }

  async loadTree(): Promise<void> {
    this.tree.value = await call<TreeJson>('GET', this.#path('/tree'))
  }

  /** Sends a message. Resolves to whether it was recorded: a message that is refused is not. */
  async send(content: string | AnyBlock[]): Promise<boolean> {
    const body = { content, key: crypto.randomUUID() } as SendBody
    const head = this.messages.value.at(-1)?.id
    this.#expect({ id: 'pending', parentId: head, role: 'user', content })
    await this.#turn('/send', body)
    return this.messages.value.at(-1)?.id !== head
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

  continue(): Promise<void> {
    return this.#turn('/continue', {})
  }

  /** Joins the turn in flight. */
  async join(): Promise<void> {
    if (this.isBusy.value) return
    await this.#follow(() => send(this.#path('/turn'), { signal: this.#closed.signal }))
  }

  async stop(): Promise<void> {
    await call<StopJson>('POST', this.#path('/stop'), {})
  }

  async switchTo(messageId: string): Promise<void> {
    this.#show(await call<ConversationJson>('POST', this.#path('/switch'), { messageId }))
  }

  async undo(): Promise<void> {
    this.#show(await call<ConversationJson>('POST', this.#path('/undo'), {}))
  }

  async change(change: Record<string, unknown>): Promise<void> {
    this.info.value = await call<ConversationJson>('PATCH', this.#path(''), change)
  }

  async fork(messageId: string): Promise<ConversationJson> {
    return call<ConversationJson>('POST', this.#path('/fork'), { messageId })
  }

  #path(rest: string): string {
    return `/api/conversations/${encodeURIComponent(this.id)}${rest}`
  }

  #show(info: ConversationJson): void {
    batch(() => {
      this.info.value = info
      this.messages.value = info.path.data
      this.hasEarlier.value = info.path.hasMore
      this.failure.value = undefined
    })
    if (this.tree.value) void this.loadTree()
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
    return this.#follow(() =>
      send(this.#path(path), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: this.#closed.signal,
      }),
    )
  }

  /** Reads the events of a turn to its end, and then the chat as it is recorded. */
  async #follow(request: () => Promise<Response>): Promise<void> {
    this.isBusy.value = true
    this.failure.value = undefined
    let failure: Failure | undefined
    try {
      failure = await this.#read(await request())
    } catch (error) {
      if (this.#closed.signal.aborted) return
      failure = failureOf(error)
    }
    await this.#showRecorded(() => {
      this.isBusy.value = false
      this.failure.value = failure
    })
    if (this.info.value.turn && !failure) void this.join()
  }

  async #read(response: Response): Promise<Failure | undefined> {
    const reader = readTurn(response, {
      resume: (lastEventId) => this.#rejoin(lastEventId),
      signal: this.#closed.signal,
    })
    const painter = new Painter(this.live, announce)
    for await (const event of reader) {
      if (event.type === 'step_start') {
        // The question is recorded by now, and so is the step before.
        await this.#showRecorded()
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
  async #showRecorded(also?: () => void): Promise<void> {
    const info = await call<ConversationJson>('GET', this.#path('')).catch(() => undefined)
    batch(() => {
      this.live.value = undefined
      if (info) this.#show(info)
      else this.messages.value = this.messages.value.filter(({ id }) => id !== 'pending')
      also?.()
    })
  }

  #rejoin(lastEventId: string | undefined): Promise<Response> {
    const headers = lastEventId === undefined ? undefined : { 'last-event-id': lastEventId }
    return send(this.#path('/turn'), { signal: this.#closed.signal, ...(headers && { headers }) })
  }
}

function failureOf(error: unknown): Failure {
  const { message, type, requestId } = error as Error & Partial<Failure>
  return { type: type ?? 'error', message, requestId }
}
