import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { type Step, script } from '../engines/script.ts'
import type { Engine } from '../protocol/types/engine.ts'
import type { ContentBlock } from '../protocol/types/message.ts'
import type { ContentBlockParam, MessageCreateParams, MessageParam } from '../protocol/types/params.ts'
import { ConversationConflictError, type Conversation, memoryStore, openConversations } from './index.ts'
import { sqliteStore } from './stores/sqlite/store.ts'
import type { ConversationStore, MessageState } from './stores/store.ts'
import { until } from '../../../../test/until.ts'

// Two writers do anything to a conversation, in any order, with crashes in between. The messages that are stored and sent
// must be those of a plain list.

type Outcome = { kind: 'whole' | 'call' | 'fails' } | { kind: 'cut' | 'abort' | 'crash'; after: number }
type Operation = { writer: 0 | 1 } & (
  | { do: 'send'; outcome: Outcome; key?: number }
  | { do: 'retry' | 'edit'; target: number; outcome: Outcome }
  | { do: 'rewrite' | 'switchTo' | 'erase'; target: number }
  | { do: 'undo'; turns: number }
  | { do: 'configure' | 'reopen' | 'sendStale' }
)

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'whole' as const }) },
  fc.record({ kind: fc.constantFrom('call' as const, 'fails' as const) }),
  fc.record({
    kind: fc.constantFrom('cut' as const, 'abort' as const, 'crash' as const),
    after: fc.integer({ min: 0, max: 6 }),
  }),
)
const writer = fc.constantFrom(0 as const, 1 as const)
const target = fc.nat(30)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ writer, do: fc.constant('send' as const), outcome }) },
  fc.record({ writer, do: fc.constant('send' as const), outcome, key: fc.nat(3) }),
  fc.record({ writer, do: fc.constantFrom('retry' as const, 'edit' as const), target, outcome }),
  fc.record({ writer, do: fc.constantFrom('rewrite' as const, 'switchTo' as const), target }),
  {
    weight: 1,
    arbitrary: fc.record({ writer, do: fc.constant('erase' as const), target: fc.integer({ min: 3, max: 30 }) }),
  },
  fc.record({ writer, do: fc.constant('undo' as const), turns: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ writer, do: fc.constantFrom('configure' as const, 'reopen' as const, 'sendStale' as const) }),
)

interface Node {
  number: number
  parent: number
  role: 'user' | 'assistant'
  state: MessageState
  /** The text that is shown. */
  text: string
  /** The message that is sent; undefined if none is. */
  sent: string | undefined
  /** The tool call that waits for its result. */
  call?: string | undefined
  isResult?: boolean
  /** The engine was reached, so the request was paid for. */
  isPaid?: boolean
}

const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

const stores: Record<string, () => (now: () => number) => ConversationStore> = {
  memoryStore: () => (now) => memoryStore({ now }),
  sqliteStore: () => {
    const path = join(folder, `${++files}.db`)
    return (now) => sqliteStore(path, { now })
  },
}

for (const [name, make] of Object.entries(stores)) {
  test(`a conversation in ${name} equals a list of messages, whatever is done to it`, async () => {
    // A store in memory does not survive a crash.
    const operations = fc.array(name === 'memoryStore' ? operation.filter((each) => !crashes(each)) : operation, {
      minLength: 1,
      maxLength: 16,
    })
    await fc.assert(
      fc.asyncProperty(operations, async (list) => {
        const world = await World.open(make())
        for (const each of list) {
          await world.perform(each)
          await world.check()
        }
        await world.close()
      }),
      { numRuns: Number(process.env.COLLOQUY_MODEL_RUNS ?? 60) },
    )
  })
}

function crashes(operation: Operation): boolean {
  return 'outcome' in operation && operation.outcome.kind === 'crash'
}

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const interruptedNote = '(Your previous message was interrupted and is incomplete.)'

class World {
  readonly #openStore: (now: () => number) => ConversationStore
  #store: ConversationStore
  #id = ''
  #writers: Conversation[] = []
  #skippedMs = 0
  #step: Step = {}
  #asked: MessageCreateParams | undefined
  #messages = 0

  // The model.
  #nodes: Node[] = []
  #head = 0
  #last = 0
  /** The messages that were sent with a key, by the key and the number of the attempt. */
  #keys = new Map<string, number>()
  /** Replies that were paid for and are erased. */
  #erased = 0

  private constructor(openStore: (now: () => number) => ConversationStore) {
    this.#openStore = openStore
    this.#store = openStore(() => Date.now())
  }

  static async open(openStore: (now: () => number) => ConversationStore): Promise<World> {
    const world = new World(openStore)
    await world.#start()
    return world
  }

  async #start(): Promise<void> {
    const conversation = await this.#conversations().create(settings)
    this.#id = conversation.id
    await this.#reopen()
  }

  #conversations(): ReturnType<typeof openConversations> {
    const engine: Engine = (params, context) => {
      this.#asked = structuredClone(params)
      return script([this.#step])(params, context)
    }
    return openConversations({ engine, store: this.#store, journalMs: 0 })
  }

  async #reopen(): Promise<void> {
    const conversations = this.#conversations()
    this.#writers = [await conversations.open(this.#id), await conversations.open(this.#id)]
  }

  async perform(operation: Operation): Promise<void> {
    const conversation = this.#writers[operation.writer]!
    // A writer that has not seen the newest version is refused, once.
    if (operation.do !== 'sendStale') await conversation.refresh()
    switch (operation.do) {
      case 'send':
        return this.#send(conversation, operation.outcome, operation.key)
      case 'retry': {
        const node = this.#pick(operation.target)
        if (node === undefined) return
        const parent = node.role === 'assistant' ? node.parent : node.number
        return this.#ask(operation.outcome, parent, undefined, (options) =>
          conversation.retry(String(node.number), options),
        )
      }
      case 'edit': {
        const node = this.#pick(operation.target, (each) => each.role === 'user' && !each.isResult)
        if (node === undefined) return
        const text = `edited ${++this.#messages}`
        return this.#ask(operation.outcome, node.parent, { text }, (options) =>
          conversation.edit(String(node.number), text, options),
        )
      }
      case 'rewrite': {
        const node = this.#pick(operation.target, (each) => each.role === 'assistant')
        if (node === undefined) return
        const text = `rewritten ${++this.#messages}`
        await conversation.edit(String(node.number), text)
        this.#add({ parent: node.parent, role: 'assistant', state: 'committed', text, sent: text })
        this.#head = this.#last
        return
      }
      case 'switchTo': {
        const node = this.#pick(operation.target)
        if (node === undefined) return
        await conversation.switchTo(String(node.number))
        this.#head = this.#newestBelow(node.number)
        return
      }
      case 'erase': {
        const node = this.#pick(operation.target)
        if (node === undefined) return
        await conversation.erase(String(node.number))
        const gone = this.#below(node.number)
        if (gone.has(this.#head)) this.#head = node.parent
        this.#erased += this.#nodes.filter(({ number, isPaid }) => isPaid && gone.has(number)).length
        this.#nodes = this.#nodes.filter(({ number }) => !gone.has(number))
        const answered = new Set(this.#nodes.map(({ parent }) => parent))
        for (const [key, number] of this.#keys) if (!answered.has(number)) this.#keys.delete(key)
        return
      }
      case 'undo': {
        const starts = this.#path().filter(({ role, isResult }) => role === 'user' && !isResult)
        const first = starts.at(-operation.turns)
        if (first === undefined) return assert.rejects(conversation.undo(operation.turns), /the conversation has fewer/)
        await conversation.undo(operation.turns)
        this.#head = first.parent
        return
      }
      case 'configure':
        await conversation.configure({ max_tokens: 100 + ++this.#messages })
        return
      case 'reopen':
        return this.#reopen()
      case 'sendStale': {
        const other = this.#writers[1 - operation.writer]!
        await conversation.refresh()
        await other.refresh()
        await other.rename(`title ${++this.#messages}`)
        await assert.rejects(conversation.send(this.#content()), ConversationConflictError)
      }
    }
  }

  /** The next content: the result that the last reply waits for, or text. */
  #content(): string | ContentBlockParam[] {
    const call = this.#waiting()
    return call === undefined
      ? `message ${++this.#messages}`
      : [{ type: 'tool_result', tool_use_id: call, content: 'done' }]
  }

  async #send(conversation: Conversation, outcome: Outcome, key: number | undefined): Promise<void> {
    const content = this.#content()
    const options = key === undefined ? {} : { key: `key ${key}` }
    let attempt = 1
    for (let known = this.#keys.get(`${key} 1`); known !== undefined; known = this.#keys.get(`${key} ${++attempt}`)) {
      const replies = this.#nodes.filter(({ parent, role }) => parent === known && role === 'assistant')
      const reply = replies.findLast(({ state }) => state === 'committed') ?? replies.at(-1)!
      if (reply.state === 'committed') {
        const found = await conversation.send(content, options)
        assert.deepEqual([found.messageId, found.text], [String(reply.number), reply.text])
        return
      }
      if (this.#head !== reply.number || this.#keys.has(`${key} ${attempt + 1}`)) continue
      return this.#ask(outcome, known, undefined, (more) => conversation.send(content, { ...options, ...more }))
    }
    const text = typeof content === 'string' ? content : ''
    const asked = { text, isResult: typeof content !== 'string' }
    const number = this.#last + 1
    await this.#ask(outcome, this.#head, asked, (more) => conversation.send(content, { ...options, ...more }))
    if (key !== undefined && this.#nodes.some((node) => node.number === number)) {
      this.#keys.set(`${key} ${attempt}`, number)
    }
  }

  /** Runs a turn to its outcome, and the same in the model. */
  async #ask(
    outcome: Outcome,
    parent: number,
    asked: { text: string; isResult?: boolean } | undefined,
    begin: (options: { signal: AbortSignal }) => ReturnType<Conversation['send']>,
  ): Promise<void> {
    const text = `reply ${++this.#messages} with a text that is long enough to come in several pieces`
    const call = `toolu_${this.#messages}`
    const content: ContentBlock[] =
      outcome.kind === 'call'
        ? [{ type: 'tool_use', id: call, name: 'tool', input: { n: this.#messages } }]
        : [{ type: 'text', text, citations: null }]
    this.#step = stepOf(outcome, content)
    const controller = new AbortController()
    const turn = begin({ signal: controller.signal })
    const arrived = { text: '', events: 0 }
    const wanted = 'after' in outcome ? outcome.after : Infinity
    let isOver = false
    // Observes the turn, so that it does not reject unhandled.
    const ended = turn.then(
      () => (isOver = true),
      () => (isOver = true),
    )
    try {
      if (wanted === 0 && outcome.kind !== 'cut') await until(() => this.#isPending())
      else
        for await (const event of turn) {
          arrived.events++
          if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
            arrived.text += event.delta.text
          if (arrived.events >= wanted && outcome.kind !== 'cut') break
        }
    } catch {}
    if (outcome.kind === 'abort') controller.abort()
    if (outcome.kind === 'crash') {
      await this.#crash(isOver, arrived.events)
      // The rest of the dead process's turn finds its store closed.
      controller.abort()
    }
    await ended

    if (asked !== undefined) this.#add({ parent, role: 'user', state: 'committed', sent: asked.text, ...asked })
    this.#addReply(asked === undefined ? parent : this.#last, outcome, { text, call }, arrived)
    this.#head = this.#last
    if (this.#asked !== undefined) checkRequest(this.#asked)
    this.#asked = undefined
  }

  #addReply(
    parent: number,
    outcome: Outcome,
    { text, call }: { text: string; call: string },
    arrived: { text: string; events: number },
  ): void {
    const node = { parent, role: 'assistant' as const }
    if (outcome.kind === 'whole') this.#add({ ...node, state: 'committed', text, sent: text, isPaid: true })
    else if (outcome.kind === 'call') this.#add({ ...node, state: 'committed', text: '', sent: '', call, isPaid: true })
    else if (arrived.events < 2)
      this.#add({ ...node, state: 'failed', text: '', sent: undefined, isPaid: arrived.events > 0 })
    else this.#add({ ...node, state: 'interrupted', text: arrived.text, sent: arrived.text || undefined, isPaid: true })
  }

  async #isPending(): Promise<boolean> {
    const nodes = await this.#store.tree(this.#id)
    return nodes.some(({ state }) => state === 'pending' || state === 'streaming')
  }

  /** The process dies when everything that arrived is in the journal. Another one starts when the lease has expired. */
  async #crash(isOver: boolean, events: number): Promise<void> {
    if (isOver) return
    await until(async () => {
      const [unfinished] = (await this.#store.open(this.#id))!.unfinished
      const journalled = unfinished?.journal.flatMap((json) => JSON.parse(json) as unknown[]) ?? []
      return events === 0 || journalled.length > 0
    })
    // The last events may be written a moment later.
    await new Promise((resolve) => setTimeout(resolve, 3))
    this.#skippedMs += 31_000
    const now = (): number => Date.now() + this.#skippedMs
    await this.#store.close()
    this.#store = this.#openStore(now)
    await this.#reopen()
  }

  #add(node: Omit<Node, 'number'>): void {
    this.#nodes.push({ number: ++this.#last, ...node })
  }

  #pick(index: number, fits: (node: Node) => boolean = () => true): Node | undefined {
    const nodes = this.#nodes.filter(fits)
    return nodes.length === 0 ? undefined : nodes[index % nodes.length]
  }

  #path(leaf: number = this.#head): Node[] {
    const node = this.#nodes.find(({ number }) => number === leaf)
    return node === undefined ? [] : [...this.#path(node.parent), node]
  }

  #waiting(): string | undefined {
    const last = this.#path().findLast(({ sent }) => sent !== undefined)
    return last?.call
  }

  #below(number: number): Set<number> {
    const children = this.#nodes.filter(({ parent }) => parent === number)
    return new Set([number, ...children.flatMap((child) => [...this.#below(child.number)])])
  }

  #newestBelow(number: number): number {
    const below = this.#below(number)
    const leaves = [...below].filter((each) => !this.#nodes.some(({ parent }) => parent === each))
    return Math.max(...leaves)
  }

  /** Every writer that refreshes, and every new opening of the conversation, sees what the model holds. */
  async check(): Promise<void> {
    const path = this.#path()
    const shown = path
      .filter(({ state }) => state !== 'failed')
      .map(({ number, text, state }) => ({ number, text, state }))
    for (const writer of this.#writers) await writer.refresh()
    for (const conversation of [...this.#writers, await this.#conversations().open(this.#id)]) {
      assert.deepEqual(
        conversation.messages.map(({ id, content, state }) => ({ number: Number(id), text: textOf(content), state })),
        shown,
      )
      assert.equal(conversation.head, this.#head === 0 ? undefined : String(this.#head))
      assert.equal(conversation.usage.calls, this.#nodes.filter(({ isPaid }) => isPaid).length + this.#erased)
      assert.deepEqual(
        conversation.preview().messages.map(({ content }) => textOf(content)),
        path.flatMap(({ role, sent }, index) => {
          const before = path[index - 1]
          const isNoted = role === 'user' && before?.state === 'interrupted' && before.sent !== undefined
          return sent === undefined ? [] : [`${isNoted ? interruptedNote : ''}${sent}`]
        }),
      )
    }
    assert.deepEqual(
      (await this.#store.tree(this.#id)).map(({ number, parent, role, state }) => ({ number, parent, role, state })),
      this.#nodes.map(({ number, parent, role, state }) => ({ number, parent, role, state })),
    )
  }

  async close(): Promise<void> {
    await this.#store.close()
  }
}

function stepOf(outcome: Outcome, content: ContentBlock[]): Step {
  const reply = outcome.kind === 'call' ? { content, stop_reason: 'tool_use' as const } : { content }
  if (outcome.kind === 'fails') return { error: { type: 'overloaded_error' } }
  if (outcome.kind === 'cut') return { reply, after: outcome.after, cut: 'reset' }
  return 'after' in outcome ? { reply, after: outcome.after, stall: true } : { reply }
}

/** The rules of the API that every request must keep. */
function checkRequest({ messages }: MessageCreateParams): void {
  assert.equal(messages[0]?.role, 'user')
  assert.equal(messages.at(-1)?.role, 'user')
  for (const [index, { role, content }] of messages.entries()) {
    assert.ok(content.length > 0)
    const calls = idsOf(content, 'tool_use')
    if (role === 'assistant' && calls.length > 0)
      assert.deepEqual(idsOf(messages[index + 1]!.content, 'tool_result'), calls)
    if (role === 'user') {
      const before = messages[index - 1]
      assert.deepEqual(
        idsOf(content, 'tool_result'),
        before?.role === 'assistant' ? idsOf(before.content, 'tool_use') : [],
      )
    }
  }
}

function idsOf(content: MessageParam['content'], type: 'tool_use' | 'tool_result'): string[] {
  if (typeof content === 'string') return []
  return content
    .filter((block) => block.type === type)
    .map((block) => String('id' in block ? block.id : (block as { tool_use_id: string }).tool_use_id))
}

function textOf(content: MessageParam['content']): string {
  if (typeof content === 'string') return content
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
