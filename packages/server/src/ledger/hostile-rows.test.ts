// One row that cannot be stored would keep all later ones out of the ledger.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type Engine, script } from 'colloquy/engines'
import type { ForwardedBody, Message } from 'colloquy/protocol'
import fc from 'fast-check'
import { databasePlaces } from '../../../../test/databases.ts'
import { openAccess } from '../access/open-access.ts'
import { createServer } from '../app.ts'
import { migrations } from '../state/migrations.ts'
import { Ledger } from './ledger.ts'
import { recoverInstance } from './recover.ts'
import type { SeenInstance } from './signs-of-life.ts'
import { type PricedRow, type RequestOrigin, refusedRow } from './request-row.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-hostile-rows-'))
after(() => rmSync(folder, { recursive: true }))

const ask = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] }
const names = ['a\0b', '\ud800', `${'x'.repeat(199)}😀`, '', 'ada', '"', '😀'.repeat(300)]
const odd: unknown[] = [null, 0, 7, -5, 1.5, 1e300, 2 ** 53, '5', [], {}, true, ...names]
const oddValue = fc.oneof(fc.constantFrom(...odd), fc.jsonValue({ maxDepth: 3 }))
const fields = [
  'input_tokens',
  'output_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'cache_creation',
  'server_tool_use',
  'service_tier',
  'inference_geo',
  'speed',
  'iterations',
  'more',
]
const usage = fc.oneof(
  fc.dictionary(fc.constantFrom(...fields), oddValue),
  fc.record({ iterations: fc.array(fc.dictionary(fc.constantFrom('type', ...fields), oddValue)) }),
  oddValue,
)
const reply = fc.record(
  { model: fc.oneof(fc.constantFrom(ask.model), oddValue), stop_reason: oddValue, usage },
  { requiredKeys: [] },
)

const origin: RequestOrigin = {
  id: '',
  started_at: Date.UTC(2026, 10, 26),
  workspace: 'default',
  key_id: 'refused',
  user_id: '',
  conversation: '',
  source: 'api',
  path: '/v1/messages',
  engine: '',
  model: ask.model,
}

/** An engine whose upstream sends these values as replies, one after the other. */
function replying(values: readonly unknown[]): Engine {
  let index = 0
  const forward = async (): Promise<ForwardedBody> => {
    const value = values[index++]
    return {
      type: 'body',
      value: value as Message,
      text: JSON.stringify(value),
      header: () => null,
      headers: () => new Headers(),
    }
  }
  return Object.assign(script([]), { forward })
}

for (const [name, makePlace] of Object.entries(databasePlaces())) {
  describe(`the ledger on ${name}`, () => {
    const open = makePlace(folder)
    const store = { database: open(migrations), close: async () => {} }
    after(() => store.database.close())

    test('has a row for every reply, whatever its usage and its names are', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 20 }), async (replies) => {
          const problems: string[] = []
          const access = await openAccess({ store, onProblem: (sentence) => problems.push(sentence), flushMs: 10_000 })
          const { secret, key } = await access.keys.create({
            name: `k${Math.random().toString(36).slice(2)}`,
            budgets: [{ usd: '1000', per: 'day', each: 'user' }],
          })
          const server = createServer({ engine: replying(replies), access })
          for (const index of replies.keys()) {
            const metadata = { user_id: names[index % names.length] }
            const response = await server.fetch('http://test/v1/messages', {
              method: 'POST',
              headers: { 'x-api-key': secret, 'anthropic-version': '2023-06-01' },
              body: JSON.stringify({ ...ask, metadata }).replaceAll(String.raw`\ud800`, 'half'),
            })
            await response.text()
          }
          await access.close()
          assert.deepEqual(problems, [])
          const id = { id: key.id }
          const [found] = await store.database.rows<{ rows: number }>(
            'count',
            'SELECT count(*) AS rows FROM %.request WHERE key_id = :id',
            id,
          )
          assert.equal(found!.rows, replies.length)
          const held = await store.database.rows<{ reserved: number }>('read', 'SELECT reserved FROM %.account')
          assert.ok(held.every(({ reserved }) => reserved === 0))
        }),
        { numRuns: process.env['COLLOQUY_FUZZ'] ? 250 : 25 },
      )
    })

    test('stores all rows but one that the database refuses, and charges that one', async () => {
      const refused: string[] = []
      const ledger = new Ledger(store.database, { flushMs: 1_000_000, onRefused: ({ id }) => refused.push(id) })
      const account = { name: `refused on ${name}`, limit: 1_000n, until: null }
      const rowOf = async (id: string): Promise<PricedRow> => {
        const begun = { ...origin, id }
        await ledger.begin({ origin: begun, accounts: [account.name], reserved: 10n }, [account])
        return refusedRow(begun, new Error('failed'), begun.started_at)
      }
      ledger.settle(await rowOf('one'), 3n)
      ledger.settle({ ...(await rowOf('bad')), workspace: null as never }, 4n)
      ledger.settle(await rowOf('two'), 5n)
      await ledger.flush()
      ledger.settle(await rowOf('three'), 6n)
      await ledger.close()
      const sql = "SELECT id FROM %.request WHERE key_id = 'refused' ORDER BY id"
      const ids = (await store.database.rows<{ id: string }>('read', sql)).map(({ id }) => id)
      const [paid] = await store.database.rows<{ spent: number; reserved: number }>(
        'read',
        'SELECT spent, reserved FROM %.account WHERE name = :name',
        { name: account.name },
      )
      assert.deepEqual([ids, refused], [['one', 'three', 'two'], ['bad']])
      assert.deepEqual([paid?.spent, paid?.reserved], [18, 0])
    })

    test('keeps a row that the database refuses until it stores another one', async () => {
      const refused: string[] = []
      const ledger = new Ledger(store.database, { flushMs: 1_000_000, onRefused: ({ id }) => refused.push(id) })
      const row = refusedRow({ ...origin, id: 'four' }, new Error('failed'), origin.started_at)
      ledger.settle({ ...row, id: 'alone', workspace: null as never }, 0n)
      await assert.rejects(ledger.flush())
      assert.deepEqual([ledger.waiting, refused], [1, []])
      ledger.settle(row, 0n)
      await ledger.close()
      assert.deepEqual([ledger.waiting, refused], [0, ['alone']])
    })

    test('settles a request that began in the month before its server wrote anything, and died', async () => {
      const now = Date.UTC(2031, 6, 1)
      const ledger = new Ledger(store.database, { flushMs: 1_000_000, now: () => now })
      const begun = { ...origin, id: 'lost', started_at: now - 1 }
      await ledger.begin({ origin: begun, accounts: [], reserved: 0n }, [])
      await ledger.flush()
      const sql = 'SELECT id, seen_at FROM %.instance WHERE seen_at = :now'
      const [dead] = await store.database.rows<SeenInstance>('read', sql, { now })
      const recovered = await store.database.transaction('recover', () => recoverInstance(store.database.kind, dead!))
      assert.deepEqual(
        recovered?.flights.map(({ origin: { id } }) => id),
        ['lost'],
      )
      await ledger.close()
    })

    test('has a row for a refused model of any name', async () => {
      const access = await openAccess({ store })
      const { secret, key } = await access.keys.create({ name: 'refused' })
      const server = createServer({ engine: script([]), access })
      for (const model of ['a\0b', '😀'.repeat(200)])
        await server.fetch('http://test/v1/messages', {
          method: 'POST',
          headers: { 'x-api-key': secret, 'anthropic-version': '2023-06-01' },
          body: JSON.stringify({ ...ask, model }),
        })
      await access.close()
      const rows = await store.database.rows('read', 'SELECT 1 FROM %.request WHERE key_id = :id', { id: key.id })
      assert.equal(rows.length, 2)
    })
  })
}
