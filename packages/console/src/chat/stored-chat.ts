import { type ReadonlySignal, type Signal, batch, computed, signal } from '@preact/signals'
import { call } from '../api/http.ts'
import type { ConversationJson, PageJson, PathMessageJson, TreeJson } from '../api/types.ts'

/** An error that ended a turn, or that kept it from beginning. */
export interface Failure {
  type: string
  message: string
  requestId?: string | undefined
}

/** A chat as it is stored: its path, its tree, and the changes that need no reply. */
export class StoredChat {
  readonly id: string
  readonly info: Signal<ConversationJson>
  readonly messages: Signal<PathMessageJson[]>
  readonly hasEarlier: Signal<boolean>
  readonly failure: Signal<Failure | undefined> = signal(undefined)
  /** The messages that are being erased. They and those that follow them are hidden. */
  readonly erasing: Signal<ReadonlySet<string>> = signal(new Set())
  readonly tree: Signal<TreeJson | undefined> = signal(undefined)
  readonly title: ReadonlySignal<string> = computed(() => this.info.value.title ?? 'New chat')

  constructor(info: ConversationJson) {
    this.id = info.id
    this.info = signal(info)
    this.messages = signal(info.path.data)
    this.hasEarlier = signal(info.path.hasMore)
  }

  async loadEarlier(): Promise<void> {
    const [first] = this.messages.value
    if (!first) return
    const page = await call<PageJson<PathMessageJson>>('GET', this.path(`/messages?before=${first.id}&limit=50`))
    batch(() => {
      this.messages.value = [...page.data, ...this.messages.value]
      this.hasEarlier.value = page.hasMore
    })
  }

  async loadTree(): Promise<void> {
    this.tree.value = await call<TreeJson>('GET', this.path('/tree'))
  }

  async switchTo(messageId: string): Promise<void> {
    this.show(await call<ConversationJson>('POST', this.path('/switch'), { messageId }))
  }

  async undo(): Promise<void> {
    this.show(await call<ConversationJson>('POST', this.path('/undo'), {}))
  }

  /** Erases a message and all that follow it, after some time in which that can be undone. */
  async erase(messageId: string, undoMs: number): Promise<void> {
    this.erasing.value = new Set([...this.erasing.value, messageId])
    await call<ConversationJson>('POST', this.path('/erase'), { messageId, undoMs }).catch((error: unknown) => {
      this.#keep(messageId)
      throw error
    })
  }

  async undoErase(messageId: string): Promise<void> {
    await call<ConversationJson>('POST', this.path('/erase/undo'), { messageId })
    this.#keep(messageId)
  }

  async change(change: Record<string, unknown>): Promise<void> {
    this.info.value = await call<ConversationJson>('PATCH', this.path(''), change)
  }

  async fork(messageId: string): Promise<ConversationJson> {
    return call<ConversationJson>('POST', this.path('/fork'), { messageId })
  }

  /** Erases at once: what is sent next must not follow a message that will be gone. */
  protected async eraseNow(): Promise<void> {
    for (const messageId of this.erasing.value) {
      this.show(await call<ConversationJson>('POST', this.path('/erase'), { messageId }))
    }
    this.erasing.value = new Set()
  }

  protected path(rest: string): string {
    return `/api/conversations/${encodeURIComponent(this.id)}${rest}`
  }

  protected show(info: ConversationJson): void {
    batch(() => {
      this.info.value = info
      this.messages.value = info.path.data
      this.hasEarlier.value = info.path.hasMore
      this.failure.value = undefined
    })
    if (this.tree.value) void this.loadTree()
  }

  #keep(messageId: string): void {
    this.erasing.value = new Set([...this.erasing.value].filter((id) => id !== messageId))
  }
}
