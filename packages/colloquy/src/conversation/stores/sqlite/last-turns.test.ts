import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConversationStore } from '../store.ts'
import { LastTurns } from './last-turns.ts'
import { sqliteStore } from './store.ts'

type Does =
  | 'turn'
  | 'begin'
  | 'begin elsewhere'
  | 'begin summary'
  | 'journal'
  | 'finish'
  | 'continue'
  | 'release'
  | 'update'
  | 'prune'
  | 'create again'

interface Action {
  does: Does
  /** Whether another opening of the file does it. */
  other: boolean
  /** Chooses among the turns or messages. */
  which: number
  reserves: boolean
}

const action: fc.Arbitrary<Action> = fc.record({
  does: fc.oneof(
    { weight: 1, arbitrary: fc.constant<Does>('turn') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Does>(
        'begin',
        'finish',
        'begin elsewhere',
        'begin summary',
        'journal',
        'continue',
        'release',
        'update',
        'prune',
        'create again',
      ),
    },
  ),
  other: fc.boolean(),
  which: fc.nat(3),
  reserves: fc.boolean(),
})

interface Begun {
  handle: number
  /** The store that began the turn. */
  by: ConversationStore
}

/** Does the actions of the test in two openings of a store. */
class Actor {
  readonly #stores: readonly [ConversationStore, ConversationStore]
  /** The turns that have not ended for the stores that began them, the latest first. */
  #begun: Begun[] = []
  #time = 0

  constructor(stores: readonly [ConversationStore, ConversationStore]) {
    this.#stores = stores
  }

  async create(): Promise<void> {
    await this.#stores[0].create({ id: 'one', title: null, settings: '{}', at: ++this.#time })
  }

  /** Returns what a reader sees afterwards, or the name of the error. */
  async act(action: Action): Promise<unknown> {
    try {
      await this.#act(action, this.#stores[action.other ? 1 : 0])
    } catch (error) {
      return (error as Error).name
    }
    const found = (await this.#stores[0].open('one'))!
    const { version, head, last, updatedAt } = found.conversation
    const messages = found.messages.map(({ number, parent, state, json }) => [number, parent, state, json])
    const unfinished = found.unfinished.map(({ number, awaitsTools, journal }) => [number, awaitsTools, journal])
    const { tokens, held } = await this.#stores[0].spending({ user: 'u', day: '' })
    return [version, head, last, updatedAt, messages, unfinished, tokens, held.tokens]
  }

  async #act({ does, other, which, reserves }: Action, store: ConversationStore): Promise<void> {
    const at = ++this.#time
    const { conversation, unfinished } = (await store.open('one', { messages: false }))!
    const { version, head, last } = conversation
    const turn = this.#begun[which] ?? this.#begun[0] ?? { handle: 0, by: store }
    const { handle, by } = turn
    const json = `{"role":"user","content":"${at}"}`
    const accounts = [{ user: 'u', day: '', most: {} }]
    switch (does) {
      case 'turn':
      case 'begin':
      case 'begin elsewhere':
      case 'begin summary': {
        const begun = await store.begin({
          id: 'one',
          version,
          parent: does === 'begin elsewhere' ? Math.min(which, last) : head,
          messages: does === 'begin summary' ? [] : [{ role: 'user', json }],
          role: does === 'begin summary' ? 'summary' : 'assistant',
          reservation: reserves ? { picoUsd: 1n, tokens: 5n, accounts } : undefined,
          at,
        })
        assert.ok(!begun.repeated)
        this.#begun.unshift({ handle: begun.handle, by: store })
        if (does === 'turn') await this.#act({ does: 'finish', which: 0, other: false, reserves }, store)
        return
      }
      case 'journal':
        if (unfinished.some((reply) => reply.handle === handle && !reply.awaitsTools && reply.journal.length === 0))
          await by.journal({ handle, index: 0, json: `[${at}]`, at })
        return
      case 'finish':
      case 'continue': {
        const reply = '{"message":{"usage":{"input_tokens":3,"output_tokens":1}}}'
        const end = { id: 'one', handle, state: 'committed', json, received: null, reply, at } as const
        const recovered = unfinished[which] ?? unfinished[0]
        if (does === 'finish' && !other) this.#forget(turn)
        // Another process ends the replies only that it finds in flight.
        if (does === 'continue' || !other) {
          await by.finish({ ...end, continues: does === 'continue', accounts: reserves ? accounts : [] })
        } else if (recovered) await store.finish({ ...end, handle: recovered.handle, recovering: true })
        return
      }
      case 'release':
        this.#forget(turn)
        await by.release(handle)
        return
      case 'update':
        await store.update('one', version, { head: Math.min(which, last), at })
        return
      case 'prune':
        await store.prune('one', version, last)
        return
      case 'create again':
        await store.delete('one')
        await this.create()
    }
  }

  /** Row ids are used again: the store that began a turn does not end it twice. */
  #forget(ended: Begun): void {
    this.#begun = this.#begun.filter((turn) => turn !== ended)
  }
}

test('turns of two openings of a file leave the same as turns of a store that remembers none', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  const { add } = LastTurns.prototype
  let remembers = true
  t.mock.method(LastTurns.prototype, 'add', function (this: LastTurns, ...turn: Parameters<typeof add>) {
    if (remembers) add.apply(this, turn)
  })
  let runs = 0
  const actions = fc.array(action, { minLength: 5, maxLength: 30 })
  const property = fc.asyncProperty(actions, async (all) => {
    const path = join(folder, `${++runs}.db`)
    const files = [sqliteStore(path), sqliteStore(path)] as const
    const memory = sqliteStore(':memory:')
    const [found, expected] = [new Actor(files), new Actor([memory, memory])]
    await Promise.all([found.create(), expected.create()])
    for (const each of all) {
      remembers = true
      const left = await found.act(each)
      remembers = false
      assert.deepEqual(left, await expected.act(each), JSON.stringify(each))
    }
    for (const store of [...files, memory]) await store.close()
    rmSync(path)
  })
  await fc.assert(property, { numRuns: Math.min(Number(process.env['COLLOQUY_FUZZ'] ?? 25), 300) })
  rmSync(folder, { recursive: true })
})

test('LastTurns keeps the last thousand conversations', () => {
  const turns = new LastTurns()
  const turn = { row: 1, createdAt: 1, last: 2, inFlightFrom: 2, handle: 7, hasEnded: false }
  turns.add('first', turn)
  for (let index = 0; index < 999; index++) turns.add(`c${index}`, turn)
  turns.add('first', { ...turn, handle: 8 })
  assert.equal(turns.ofReply({ id: 'first', handle: 7 }), undefined)
  turns.add('last', turn)
  assert.equal(turns.get('c0'), undefined)
  assert.equal(turns.ofReply({ id: 'first', handle: 8 })?.handle, 8)
})
