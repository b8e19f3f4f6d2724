import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from 'colloquy'
import { type Engine, script } from 'colloquy/engines'
import { formatUsd, fromUsd } from 'colloquy/protocol'
import { createServer } from '../app.ts'
import { readUsage } from '../ledger/reports/usage.ts'
import { openServerStore, type ServerStore } from '../state/server-store.ts'
import type { KeyBudget } from './keys/settings.ts'
import { type AccessOptions, openAccess, type StoreAccess } from './open-access.ts'

// 1,000 × $3 + 1,000 × $15 for a million tokens: 1.8 cents.
const usage = { input_tokens: 1_000, output_tokens: 1_000, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }
const costUsd = '0.018'
const dayMs = 86_400_000
const ask = { model: 'claude-sonnet-4-6', max_tokens: 1_000, messages: [{ role: 'user' as const, content: 'Hello' }] }

test('a budget of a day begins again at midnight in UTC, and that of a month on its first day', async (t) => {
  const { client, pass, set } = await serve(t, [
    { usd: '0.04', per: 'day' },
    { usd: '0.09', per: 'month' },
  ])
  set(Date.UTC(2028, 1, 27, 23, 59, 50))
  const most = async (): Promise<{ count: number; message: string }> => {
    for (let count = 0; ; count++) {
      try {
        await client.messages.create(ask)
      } catch (error) {
        assert.equal((error as { status: number }).status, 429)
        assert.equal((error as { headers: Headers }).headers.get('x-should-retry'), 'false')
        return { count, message: (error as Error).message }
      }
    }
  }
  const daily = /daily budget of \$0\.0400 of.* on 2028-02-28 at 00:00 UTC/
  const first = await most()
  assert.equal(first.count, 2)
  assert.match(first.message, daily)
  pass(10_000)
  // 28 February, and 29 in a leap year.
  assert.equal((await most()).count, 2)
  pass(dayMs)
  const last = await most()
  // The fifth request takes the rest of the month.
  assert.equal(last.count, 1)
  assert.match(last.message, /monthly budget of \$0\.0900 of.* on 2028-03-01 at 00:00 UTC/)
  pass(dayMs)
  assert.equal((await most()).count, 2)
})

test('each user of a key has a budget of their own, and requests without a user share one', async (t) => {
  const { client } = await serve(t, [{ usd: '0.04', per: 'total', each: 'user' }])
  const counts: Record<string, number> = {}
  for (const user of ['ada', 'bob', '', '["ada"]', 'ada']) {
    const metadata = user === '' ? {} : { metadata: { user_id: user } }
    for (;;) {
      const sent = await client.messages.create({ ...ask, ...metadata }).then(
        () => true,
        (error: unknown) => {
          const { apiMessage } = error as { apiMessage: string }
          assert.ok(user === '' || apiMessage.includes(`the user ${user} of the key ada`), apiMessage)
          return false
        },
      )
      if (!sent) break
      counts[user] = (counts[user] ?? 0) + 1
    }
  }
  assert.deepEqual(counts, { ada: 2, bob: 2, '': 2, '["ada"]': 2 })
})

test('a stream that is cut is charged for what had arrived, as an estimate', async (t) => {
  const engine = script([{ reply: 'word '.repeat(400), after: 20, error: { type: 'overloaded_error' } }])
  const { client, spent } = await serve(t, [{ usd: '1', per: 'day' }], { engine })
  await assert.rejects(client.messages.stream(ask).finalMessage())
  const { cost, estimated } = await spent()
  assert.equal(estimated, 1)
  assert.ok(cost > 0n && cost < fromUsd('0.015'), formatUsd(cost))
})

test('items of a batch are charged half, also in the budget', async (t) => {
  const { client, spent, access, wait } = await serve(t, [{ usd: '1', per: 'day' }])
  const items = ['a', 'b', 'c'].map((custom_id) => ({ custom_id, params: ask }))
  const { id } = await client.messages.batches.create({ requests: items })
  await wait(async () => (await client.messages.batches.retrieve(id)).processing_status === 'ended')
  const { cost, requests } = await spent()
  assert.deepEqual([requests, cost], [3, (fromUsd(costUsd) * 3n) / 2n])
  assert.equal(await budgetSpent(access), '0.027')
})

test('a key with a budget may use a free model that has no price', async (t) => {
  const isPriced: AccessOptions['isPriced'] = ({ model }) => model !== 'qwen3'
  const engine = script([{ reply: { content: 'Hi', usage }, times: 1_000 }])
  const { client, spent, access } = await serve(t, [{ usd: '0.02', per: 'day' }], { engine, isPriced, lenient: true })
  await client.messages.create({ ...ask, model: 'qwen3' })
  await assert.rejects(client.messages.create({ ...ask, model: 'qwen4' }), { status: 400, message: /found no price/ })
  await client.messages.create(ask)
  await assert.rejects(client.messages.create(ask), { status: 429 })
  await client.messages.create({ ...ask, model: 'qwen3' })
  assert.deepEqual([(await spent()).requests, await budgetSpent(access)], [5, costUsd])
})

interface Served {
  client: Anthropic
  access: StoreAccess
  pass(ms: number): void
  set(time: number): void
  /** The sums of all requests. */
  spent(): Promise<{ cost: bigint; requests: number; estimated: number }>
  wait(isTrue: () => Promise<boolean>): Promise<void>
}

interface Serving extends Pick<AccessOptions, 'isPriced'> {
  engine?: Engine
  lenient?: boolean
}

async function serve(
  t: { after: (work: () => Promise<void>) => void },
  budgets: readonly KeyBudget[],
  {
    engine = script([{ reply: { content: 'Hi', usage }, times: 1_000 }]),
    isPriced = true,
    lenient = false,
  }: Serving = {},
): Promise<Served> {
  let time = Date.UTC(2026, 10, 26)
  const now = (): number => time
  const store: ServerStore = await openServerStore(':memory:')
  const access = await openAccess({ store, now, flushMs: 5, isPriced })
  const server = createServer({ engine, access, store, now, lenient })
  const { secret } = await access.keys.create({ name: 'ada', budgets })
  t.after(async () => {
    await server.close()
    await access.close()
    await store.close()
  })
  return {
    access,
    client: new Anthropic({ fetch: server.fetch, baseURL: 'http://test', apiKey: secret, maxRetries: 0 }),
    pass: (ms) => (time += ms),
    set: (at) => (time = at),
    async spent() {
      await budgetSpent(access)
      const { total } = await readUsage(store.database, { since: 0, until: time + dayMs, by: ['source'] })
      return total
    },
    async wait(isTrue) {
      while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10))
    },
  }
}

/** The spent part of the first budget of the key, when everything that was settled is written. */
async function budgetSpent(access: StoreAccess): Promise<string> {
  const admin = { key: undefined, workspace: 'default', isAdmin: true }
  await (await access.admin(new Request('http://test/admin/usage'), admin)).text()
  const response = await access.admin(new Request('http://test/admin/keys/ada'), admin)
  const { budgets } = (await response.json()) as { budgets: { spent_usd: string }[] }
  return budgets[0]!.spent_usd
}
