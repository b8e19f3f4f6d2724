import type { ConversationChange, Conversations } from 'colloquy/conversation'
import type { ChangeJson } from './api.ts'
import type { Deletions } from './deletions.ts'
import { listedJson } from './json/shapes.ts'

/** The events that wait for a slow client, at most: one that is further behind is disconnected, and reads all again. */
const mostWaiting = 1_000

const ping = ': ping\n\n'

/** Tells clients of changes. All clients of an owner share one reader of the store, which runs while there is one. */
export class ChangeFeed {
  readonly #conversations: Conversations
  readonly #deletions: Deletions
  readonly #pingMs: number
  readonly #topics = new Map<string | undefined, Topic>()

  /** @param deletions the conversations whose changes from before their deletion, which may be read late, are not told. */
  constructor(conversations: Conversations, deletions: Deletions, pingMs: number) {
    this.#conversations = conversations
    this.#deletions = deletions
    this.#pingMs = pingMs
  }

  /** A stream of server-sent events for one client. */
  stream(owner: string | undefined): ReadableStream<Uint8Array> {
    const client = new Client(this.#pingMs)
    const topic = this.#topics.get(owner) ?? this.#start(owner)
    topic.clients.add(client)
    if (topic.isReady) client.send({ type: 'ready' })
    return client.stream(() => {
      topic.clients.delete(client)
      if (topic.clients.size > 0) return
      topic.controller.abort()
      this.#topics.delete(owner)
    })
  }

  /** Tells the clients of an owner, and those of all conversations, of a change that the store does not show. */
  tell(owner: string | undefined, change: ChangeJson): void {
    for (const topic of new Set([this.#topics.get(owner), this.#topics.get(undefined)])) topic?.send(change)
  }

  /** Ends all streams. */
  close(): void {
    for (const topic of this.#topics.values()) topic.end()
    this.#topics.clear()
  }

  #start(owner: string | undefined): Topic {
    const topic = new Topic()
    this.#topics.set(owner, topic)
    void this.#read(owner, topic)
    return topic
  }

  async #read(owner: string | undefined, topic: Topic): Promise<void> {
    const { signal } = topic.controller
    try {
      const changes = this.#conversations.changes({ signal, ...(owner !== undefined && { owner }) })
      for await (const change of changes) {
        const isHidden = change.type === 'changed' && this.#deletions.hides(change.conversation)
        if (!isHidden) topic.send(changeJson(change))
      }
    } catch {
      // The store fails: the clients reconnect, and learn it from the routes that read.
    }
    if (this.#topics.get(owner) === topic) this.#topics.delete(owner)
    topic.end()
  }
}

function changeJson(change: ConversationChange): ChangeJson {
  return change.type === 'changed' ? { type: 'changed', conversation: listedJson(change.conversation) } : change
}

/** The clients that read the same changes. */
class Topic {
  readonly clients = new Set<Client>()
  readonly controller = new AbortController()
  isReady = false

  send(change: ChangeJson): void {
    if (change.type === 'ready') this.isReady = true
    for (const client of this.clients) client.send(change)
  }

  end(): void {
    this.controller.abort()
    for (const client of this.clients) client.end()
  }
}

const encoder = new TextEncoder()

class Client {
  readonly #pingMs: number
  readonly #waiting: Uint8Array[] = []
  #isOver = false
  #wake: () => void = () => {}

  constructor(pingMs: number) {
    this.#pingMs = pingMs
  }

  send(change: ChangeJson): void {
    this.#waiting.push(encoder.encode(`event: ${change.type}\ndata: ${JSON.stringify(change)}\n\n`))
    if (this.#waiting.length > mostWaiting) this.end()
    this.#wake()
  }

  end(): void {
    this.#isOver = true
    this.#wake()
  }

  stream(onLeave: () => void): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          if (this.#waiting.length === 0 && !this.#isOver) await this.#something()
          const next = this.#waiting.shift()
          if (next !== undefined) controller.enqueue(next)
          else if (this.#isOver) {
            onLeave()
            controller.close()
          } else controller.enqueue(encoder.encode(ping))
        },
        cancel: onLeave,
      },
      { highWaterMark: 0 },
    )
  }

  /** Resolves when there is something to send, if only a ping. */
  #something(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#pingMs)
    this.#wake = resolve
    return promise.finally(() => clearTimeout(timer))
  }
}
