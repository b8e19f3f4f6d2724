import { type ReadonlySignal, type Signal, batch, computed, signal } from '@preact/signals'
import type { MessageJson } from 'colloquy/conversation/reader'
import { call } from '../api/http.ts'
import { visibleText } from '../format.ts'
import type { AnyBlock } from './message/content-text.ts'
import type { ConversationJson, PageJson, PathMessageJson, TreeJson } from '../api/types.ts'

/** An error that ended a turn, or that kept it from beginning. */
export interface Failure {
  type: string
  message: string
  requestId?: string | undefined
  /** A sentence about the text that the server did not take: it says where the text is now. */
  kept?: string
}

/** The messages that are shown above one that the reader looks for. */
const contextMessages = 10

/** A chat as it is stored: its path, its tree, and the changes that need no reply. */
export class StoredChat {
  readonly id: string
  readonly info: Signal<ConversationJson>
  readonly messages: Signal<PathMessageJson[]>
  readonly hasEarlier: Signal<boolean>
  /** Whether messages that are far from the view are drawn too. */
  readonly isWhole: Signal<boolean> = signal(false)
  readonly failure: Signal<Failure | undefined> = signal(undefined)
  /** The messages that are being erased. They and those that follow them are hidden. */
  readonly erasing: Signal<ReadonlySet<string>> = signal(new Set())
  readonly tree: Signal<TreeJson | undefined> = signal(undefined)
  readonly title: ReadonlySignal<string> = computed(() => visibleText(this.info.value.title ?? 'New chat'))

  constructor(info: ConversationJson) {
    this.id = info.id
    this.info = signal(info)
    this.messages = signal(info.path.data)
    this.hasEarlier = signal(info.path.hasMore)
  }

  async loadEarlier(limit = 50): Promise<void> {
    const [first] = this.messages.value
    if (!first) return
    const page = await this.#before(first.id, limit)
    batch(() => {
      this.messages.value = [...page.data, ...this.messages.value]
      this.hasEarlier.value = page.hasMore
    })
  }

  /** Loads all messages, and has them drawn. */
  async loadAll(): Promise<void> {
    this.isWhole.value = true
    while (this.hasEarlier.value) await this.loadEarlier(1_000)
  }

  /** Makes a message one of those that are shown: loads the earlier ones, or switches to the branch that has it. */
  async reveal(messageId: string): Promise<void> {
    if (await this.#loadBackTo(messageId)) return
    await this.switchTo(messageId)
  }

  /** Loads the path from shortly before a message. Returns false, and changes nothing, if the message is not on the path. */
  async #loadBackTo(messageId: string): Promise<boolean> {
    const [first] = this.messages.value
    const isWanted = ({ id }: PathMessageJson): boolean => id === messageId
    if (this.messages.value.some(isWanted)) return true
    let earlier: PathMessageJson[] = []
    let hasMore = this.hasEarlier.value
    while (first && hasMore && !earlier.some(isWanted)) {
      const page = await this.#before((earlier[0] ?? first).id, 1_000)
      earlier = [...page.data, ...earlier]
      hasMore = page.hasMore
    }
    // Another branch is shown by now.
    if (this.messages.value[0]?.id !== first?.id) return this.#loadBackTo(messageId)
    const index = earlier.findIndex(isWanted)
    if (index === -1) return false
    const start = Math.max(0, index - contextMessages)
    batch(() => {
      this.messages.value = [...earlier.slice(start), ...this.messages.value]
      this.hasEarlier.value = hasMore || start > 0
    })
    return true
  }

  #before(messageId: string, limit: number): Promise<PageJson<PathMessageJson>> {
    return call('GET', this.path(`/messages?before=${encodeURIComponent(messageId)}&limit=${limit}`))
  }

  async loadTree(): Promise<void> {
    this.tree.value = await call<TreeJson>('GET', this.path('/tree'))
  }

  async switchTo(messageId: string): Promise<void> {
    this.show(await call<ConversationJson>('POST', this.path('/switch'), { messageId }))
    await this.#loadBackTo(messageId)
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
    try {
      this.info.value = await call<ConversationJson>('PATCH', this.path(''), change)
    } catch (error) {
      // A list shows what was chosen, until it is rendered again.
      this.info.value = { ...this.info.value }
      throw error
    }
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

  /** Runs a tool call that waits for its result, on the server. Resolves to a `tool_result` block. */
  async runCall(callId: string, signal: AbortSignal): Promise<AnyBlock> {
    return call<AnyBlock>('POST', this.path(`/calls/${encodeURIComponent(callId)}/run`), {}, signal)
  }

  protected path(rest: string): string {
    return `api/conversations/${encodeURIComponent(this.id)}${rest}`
  }

  protected show(info: ConversationJson): void {
    batch(() => {
      this.info.value = info
      const earlier = this.#loadedBefore(info.path.data[0]?.id)
      this.messages.value = [...earlier, ...info.path.data]
      if (earlier.length === 0) this.hasEarlier.value = info.path.hasMore
      this.showFailure(undefined)
    })
    if (this.tree.value) void this.loadTree()
  }

  /** Shows how a turn ended. A failure with `kept` stays until the next request of the reader. */
  protected showFailure(failure: Failure | undefined): void {
    if (failure || !this.failure.peek()?.kept) this.failure.value = failure
  }

  /** Adds to the failure where the text is that the server did not take. */
  protected sayKept(kept: string): void {
    this.failure.value = { type: 'connection_error', message: 'The answer broke off.', ...this.failure.value, kept }
  }

  /** Shows a reply that has arrived until the chat can be read again. A message that was not recorded disappears. */
  protected showArrived(reply: MessageJson | undefined): void {
    const known = this.messages.value.filter(({ id }) => id !== 'pending' && id !== reply?.id)
    this.messages.value = reply ? [...known, { ...reply, versions: [reply.id] }] : known
  }

  /** The messages that are shown above one. Those above a message never change, so that they stay when it is read again. */
  #loadedBefore(messageId: string | undefined): PathMessageJson[] {
    const index = this.messages.value.findIndex(({ id }) => id === messageId)
    return this.messages.value.slice(0, Math.max(0, index))
  }

  #keep(messageId: string): void {
    this.erasing.value = new Set([...this.erasing.value].filter((id) => id !== messageId))
  }
}
