import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { connectPostgres, storePlaces } from '../../../../../test/stores.ts'
import { script } from '../../engines/script.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { fromUsd } from '../../protocol/models/money.ts'
import { tool } from '../../tools/tool.ts'
import { BudgetError, type Conversation, type Limits, memoryStore, openConversations } from '../index.ts'
import { postgresStore } from '../stores/postgres/store.ts'
import type { ConversationStore } from '../stores/store.ts'

/** A reply that uses all of its `max_tokens`, so that little of the reservation is left over. */
const spender: Engine = (params, context) => {
  const usage = { input_tokens: 10, output_tokens: params.max_tokens }
  return script([{ reply: { content: 'spent', usage: { ...noUsage, ...usage } }, delayMs: 5 }])(params, context)
}
const noUsage = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }

/** A reply of a thousand tokens costs 1.5 cents, and the upper bound of the prompt is below 0.2 cents. */
const settings = { model: 'claude-sonnet-4-6', max_tokens: 1000, metadata: { user_id: 'ada' } }

const db = connectPostgres()

for (const [name, make] of Object.entries(storePlaces())) {
  describe(`calls that run at once on ${name}`, () => {
    let folder: string
    let open: () => ConversationStore
    const stores: ConversationStore[] = []

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
      open = make(folder, { leaseMs: 30_000, now: Date.now })
    })

    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close()
      rmSync(folder, { recursive: true })
    })

    /** Two openings of one store, as two processes have them, and conversations of both in turn. */
    async function conversationsOf(limits: Limits | undefined, count: number): Promise<Conversation[]> {
      const both = [open(), open()].map((store) => {
        stores.push(store)
        return openConversations({ engine: spender, store, ...(limits && { limits }) })
      })
      return Promise.all(Array.from({ length: count }, (_, index) => both[index % 2]!.create(settings)))
    }

    for (const limits of [
      { usdPerDay: 0.05 },
      { usdPerUser: 0.05 },
      { usdPerUserDay: 0.05 },
      { tokensPerDay: 3_600 },
    ]) {
      test(`never overspend ${JSON.stringify(limits)} together`, async () => {
        const all = await conversationsOf(limits, 10)
        const refused = await refusals(all.map((conversation) => conversation.send('Hello')))
        assert.equal(refused.length, 7)
        for (const error of refused) assert.equal(error.limit, Object.keys(limits)[0])
        const spent = all.reduce((sum, { cost }) => sum + cost.picoUsd, 0n)
        assert.ok(spent > fromUsd(0.045) && spent <= fromUsd(0.05), `${spent}`)
        // Nothing of the refused turns was written.
        assert.deepEqual(all.filter(({ messages }) => messages.length === 0).length, 7)
        const counted = await openConversations({ engine: spender, store: stores[0]! }).spending()
        assert.deepEqual([counted.picoUsd, counted.held], [spent, { picoUsd: 0n, tokens: 0n }])
      })
    }

    test('with fit, lower max_tokens to what the others leave', async () => {
      const all = await conversationsOf({ usdPerDay: 0.05, fit: true }, 10)
      const refused = await refusals(all.map((conversation) => conversation.send('Hello')))
      const spent = all.reduce((sum, { cost }) => sum + cost.picoUsd, 0n)
      assert.ok(spent <= fromUsd(0.05), `${spent}`)
      const used = all.map(({ usage }) => usage.output_tokens).toSorted((a, b) => b - a)
      assert.deepEqual(used.slice(0, 3), [1000, 1000, 1000])
      assert.ok(used[3]! > 0 && used[3]! < 1000, String(used))
      assert.ok(refused.length > 0 && refused.length <= 6, `${refused.length}`)
    })

    test('of one conversation never overspend its budget together', async () => {
      const [one] = await conversationsOf(undefined, 1)
      await one!.configure({ budget: { usd: 0.08 } })
      await one!.send('Hello')
      // No request ends before another was refused, so that there is a reservation then.
      const { promise: refusal, resolve } = Promise.withResolvers<unknown>()
      async function* slow(...[params, context]: Parameters<Engine>): ReturnType<Engine> {
        await refusal
        yield* spender(params, context)
      }
      const both = await Promise.all(stores.map((store) => openConversations({ engine: slow, store }).open(one!.id)))
      const turns = Array.from({ length: 8 }, (_, index) =>
        both[index % 2]!.send('Hello again', { onConflict: 'branch' }),
      )
      for (const turn of turns) void turn.catch(resolve)
      const refused = await refusals(turns)
      assert.ok(refused.some(({ limit, held }) => limit === 'usd' && held > 0n))
      const again = both[1]!
      await again.refresh()
      assert.ok(again.cost.picoUsd > fromUsd(0.06) && again.cost.picoUsd <= fromUsd(0.08), `${again.cost.picoUsd}`)
    })
  })
}

/** The turns that were refused. Throws all other errors. */
async function refusals(turns: readonly PromiseLike<unknown>[]): Promise<BudgetError[]> {
  const settled = await Promise.allSettled(turns)
  return settled.flatMap((each) => {
    if (each.status === 'fulfilled') return []
    if (!(each.reason instanceof BudgetError)) throw each.reason
    return [each.reason]
  })
}

describe('limits', () => {
  async function open(
    limits: Limits,
    { now = Date.now, changes = {} }: { now?: () => number; changes?: object } = {},
  ): Promise<{ conversation: Conversation; conversations: ReturnType<typeof openConversations> }> {
    const conversations = openConversations({ engine: spender, store: memoryStore({ now }), limits })
    return { conversation: await conversations.create({ ...settings, ...changes }), conversations }
  }

  test('limits per day start again at midnight UTC, those per user do not', async () => {
    let now = Date.parse('2026-11-21T23:59:59.999Z')
    const { conversation, conversations } = await open({ usdPerDay: 0.03, usdPerUser: 0.05 }, { now: () => now })
    await conversation.send('Hello')
    const error = await conversation.send('Hello').catch((thrown: unknown) => thrown)
    assert.ok(error instanceof BudgetError)
    assert.match(
      error.message,
      /^Cannot send within the budget of \$0\.0300 a day: \$0\.0150 are spent and the call could take \$0\.02\d\d$/,
    )
    now++
    await conversation.send('Hello')
    now += 24 * 3_600_000
    await assert.rejects(conversation.send('Hello'), { limit: 'usdPerUser', message: /\$0\.0500 a user: \$0\.0301 / })
    const picoUsd = conversation.cost.picoUsd / 2n
    assert.equal((await conversations.spending({ day: '2026-11-21' })).picoUsd, picoUsd)
    assert.equal((await conversations.spending({ user: 'ada', day: '2026-11-22' })).picoUsd, picoUsd)
    assert.equal((await conversations.spending({ user: 'ada' })).picoUsd, picoUsd * 2n)
    assert.equal((await conversations.spending()).picoUsd, 0n)
    await conversations.deleteUnusedSince(new Date(now))
    assert.equal((await conversations.spending({ day: '2026-11-21' })).picoUsd, 0n)
    assert.equal((await conversations.spending({ user: 'ada' })).picoUsd, picoUsd * 2n)
  })

  test('a turn may have another user than its conversation', async () => {
    const { conversation, conversations } = await open({ usdPerUserDay: 0.02 })
    await conversation.send('Hello')
    await assert.rejects(conversation.send('Hello'), { limit: 'usdPerUserDay' })
    await conversation.send('Hello', { metadata: { user_id: 'bob' } })
    assert.equal((await conversations.spending({ user: 'bob' })).tokens, 1010n)
  })

  test('a request without a user or a price is refused if a limit needs it', async () => {
    const nobody = await open({ tokensPerUser: 10_000 }, { changes: { metadata: {} } })
    await assert.rejects(
      nobody.conversation.send('Hello'),
      /Cannot apply limits\.tokensPerUser: the request has no metadata\.user_id/,
    )
    const unpriced = await open({ usdPerDay: 1 }, { changes: { model: 'llama-3' } })
    await assert.rejects(unpriced.conversation.send('Hello'), /found no price for llama-3/)
    for (const { conversation, conversations } of [nobody, unpriced]) {
      assert.deepEqual([conversation.messages, (await conversations.spending()).held.tokens], [[], 0n])
    }
  })

  test('without amounts they only count, requests without a price too', async () => {
    const { conversation, conversations } = await open({}, { changes: { model: 'llama-3' } })
    await conversation.send('Hello')
    const { picoUsd, tokens, unpriced } = await conversations.spending()
    assert.deepEqual([picoUsd, tokens, unpriced], [0n, 1010n, 1])
  })

  test('invalid amounts and days are refused', async () => {
    assert.throws(
      () => openConversations({ engine: spender, limits: { usdPerDay: 0 } }),
      /Cannot set limits\.usdPerDay as it must be positive: found 0/,
    )
    assert.throws(
      () => openConversations({ engine: spender, limits: { tokensPerUser: 0.5 } }),
      /must be a whole number/,
    )
    const { conversations } = await open({})
    await assert.rejects(conversations.spending({ day: 'today' }), /the day must be such as 2026-11-21: it is today/)
  })

  test('an interrupted reply is charged by estimate, an empty one is not charged', async () => {
    const steps = [
      { error: { type: 'overloaded_error' as const } },
      { reply: 'one two three four', cut: 'reset' as const, after: 4 },
    ]
    const limits = { usdPerDay: 1 }
    const conversations = openConversations({ engine: script(steps), limits })
    const conversation = await conversations.create(settings)
    await assert.rejects(conversation.send('Hello'))
    assert.equal((await conversations.spending()).tokens, 0n)
    await assert.rejects(conversation.retry())
    const { picoUsd, held } = await conversations.spending()
    assert.ok(conversation.cost.estimated)
    assert.deepEqual([picoUsd, held.picoUsd], [conversation.cost.picoUsd, 0n])
  })

  test('each step of a turn with tools is checked by itself', async () => {
    const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'look', input: {} }
    const usage = { ...noUsage, input_tokens: 100, output_tokens: 900 }
    const engine = script([{ reply: { content: [call], usage }, times: 5 }])
    const look = tool({ name: 'look', inputSchema: { type: 'object' }, run: () => 'seen' })
    const conversations = openConversations({ engine, limits: { tokensPerDay: 4_000 } })
    const conversation = await conversations.create(settings)
    await assert.rejects(conversation.send('Hello', { tools: [look] }), { limit: 'tokensPerDay', held: 0n })
    assert.deepEqual([engine.requests.length, conversation.messages.length], [2, 4])
    assert.equal((await conversations.spending()).tokens, 2_000n)
  })

  test('a refusal because of a reservation that is settled by now is retried', async () => {
    const store = memoryStore()
    const release = Promise.withResolvers<void>()
    async function* slow(...[params, context]: Parameters<Engine>): ReturnType<Engine> {
      await release.promise
      yield* script(['brief'])(params, context)
    }
    const one = await openConversations({ engine: slow, store }).create({ ...settings, budget: { usd: 0.05 } })
    const turn = one.send('Hello')
    while ((await store.open(one.id))!.unfinished.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const other = await openConversations({ engine: script(['brief', 'brief']), store }).open(one.id)
    await other.send('Me too', { onConflict: 'branch' })
    await other.configure({ budget: { usd: 0.02 } })
    await assert.rejects(other.send('And now?'), (error) => {
      assert.ok(error instanceof BudgetError)
      assert.match(
        error.message,
        /\$0\.0002 are spent and \$0\.015\d are reserved for calls in flight and the call could take/,
      )
      return error.held > fromUsd(0.015) && error.spent < fromUsd(0.001)
    })
    release.resolve()
    await turn
    assert.equal((await other.send('And now?', { onConflict: 'queue' })).text, 'brief')
  })

  test('an abandoned reservation is released when needed, and its reply is charged', async () => {
    let now = 0
    const store = memoryStore({ now: () => now, leaseMs: 30_000 })
    const limits = { usdPerDay: 0.02 }
    const dead = await openConversations({ engine: script([{ stall: true, after: 2 }]), store, limits }).create(
      settings,
    )
    const turn = dead.send('Hello')
    while ((await store.open(dead.id))!.unfinished.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const conversations = openConversations({ engine: spender, store, limits })
    const conversation = await conversations.create(settings)
    await assert.rejects(conversation.send('Hello'), { limit: 'usdPerDay', spent: 0n })
    now += 30_001
    await conversation.send('Hello')
    const held = { picoUsd: 0n, tokens: 0n }
    // Nothing of the abandoned reply was journalled.
    const spent = await conversations.spending()
    assert.deepEqual([spent.picoUsd, spent.held], [conversation.cost.picoUsd, held])
    turn.abort()
    await assert.rejects(turn)
    // It was only slow: its usage is counted after all, once.
    const { picoUsd } = await conversations.spending()
    assert.ok(dead.cost.picoUsd > 0n)
    assert.equal(picoUsd, conversation.cost.picoUsd + dead.cost.picoUsd)
  })

  test('a reply that ends between two reads of PostgreSQL counts in the budget', async () => {
    let afterRead = async (): Promise<void> => {}
    const query = async (sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> => {
      const result = await db.query(sql, values)
      await afterRead()
      return result
    }
    const conversations = openConversations({ engine: spender, store: postgresStore({ query }) })
    // Three reads (conversation, reservations, messages), and the reply ends after each of them once.
    for (const last of [1, 2, 3]) {
      const begun = Promise.withResolvers<void>()
      const release = Promise.withResolvers<void>()
      async function* slow(...[params, context]: Parameters<Engine>): ReturnType<Engine> {
        begun.resolve()
        await release.promise
        yield* spender(params, context)
      }
      const others = openConversations({ engine: slow, store: postgresStore(db) })
      const theirs = await others.create({ ...settings, budget: { usd: 0.02 } })
      const turn = theirs.send('Hello')
      await begun.promise
      const ours = await conversations.open(theirs.id)
      let reads = 0
      afterRead = async () => {
        if (++reads !== last) return
        release.resolve()
        await turn
      }
      // It saw a reply in flight, so it refreshes before it spends.
      await assert.rejects(ours.send('Me too', { onConflict: 'branch' }), { name: 'BudgetError', limit: 'usd' })
      assert.ok(reads >= 3)
      afterRead = async () => {}
    }
  })

  test('PostgreSQL begins and ends a turn with limits in a round trip each', async () => {
    const asked: string[] = []
    const query = (sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> => {
      asked.push(sql)
      return db.query(sql, values)
    }
    const limits = { usdPerDay: 1, tokensPerUser: 100_000 }
    const conversation = await openConversations({
      engine: spender,
      store: postgresStore({ query }, { schema: 'trips' }),
      limits,
    }).create(settings)
    asked.length = 0
    await conversation.send('Hello')
    assert.equal(asked.length, 2)
    await conversation.configure({ max_tokens: 80_000 })
    asked.length = 0
    await assert.rejects(conversation.send('Hello'), { name: 'BudgetError', limit: 'usdPerDay' })
    assert.equal(asked.length, 1)
  })
})
