import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { offline } from 'colloquy/engines'
import type { ErrorBody } from 'colloquy/protocol'
import { until } from '../../../../test/until.ts'
import { openAccess } from '../access/open-access.ts'
import { createServer } from '../app.ts'
import { openServerStore } from '../state/server-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-full-disk-'))
after(() => rmSync(folder, { recursive: true }))

const ask = { model: 'claude-sonnet-4-6', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }

test('a full disk loses no row: replies are sent, what needs the disk is refused, and rows follow', async () => {
  const store = await openServerStore(join(folder, 'server.db'))
  const { database } = store
  const problems: string[] = []
  const access = await openAccess({ store, flushMs: 5, onProblem: (sentence) => problems.push(sentence) })
  const { secret } = await access.keys.create({ name: 'ada' })
  const { secret: limited } = await access.keys.create({ name: 'bea', budgets: [{ usd: '1', per: 'day' }] })
  const server = createServer({ engine: offline(), access, store })
  const call = async (key: string, path = '/v1/messages', body: unknown = ask): Promise<[number, string]> => {
    const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01' }
    const response = await server.fetch(`http://test${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const found = (await response.json()) as Partial<ErrorBody>
    return [response.status, found.error?.message ?? '']
  }
  const rows = async (): Promise<number> => {
    const [found] = await database.rows<{ rows: number }>('count', 'SELECT count(*) AS rows FROM %.request')
    return found!.rows
  }
  assert.deepEqual(await call(secret), [200, ''])
  await until(async () => (await rows()) === 1)

  // SQLite refuses another page with the error of a full disk.
  const [{ page_count: pages } = { page_count: 0 }] = await database.rows<{ page_count: number }>(
    'read',
    'PRAGMA page_count',
  )
  await database.rows('fill the disk', `PRAGMA max_page_count = ${pages}`)
  let sent = 1
  while (access.problems().length === 0) {
    assert.deepEqual(await call(secret), [200, ''])
    sent++
    // Requests within the process never wait for anything else.
    await new Promise(setImmediate)
  }
  assert.match(access.problems()[0]!, /^Cannot write the ledger: its disk is full; \d+ settled requests wait$/)
  assert.match(problems.join('\n'), /^Cannot write the ledger in [^\n]*: the disk is full$/)
  const batch = { requests: Array.from({ length: 200 }, (_, index) => ({ custom_id: `r${index}`, params: ask })) }
  assert.deepEqual(await call(secret, '/v1/messages/batches', batch), [529, 'Overloaded'])
  const [status] = await call(limited)
  assert.ok(status === 200 || status === 529)
  const ready = await (await server.fetch('http://test/readyz')).text()
  assert.match(ready, /"degraded".*its disk is full/)

  await database.rows('free the disk', 'PRAGMA max_page_count = 1000000')
  await until(async () => (await rows()) >= sent)
  await until(() => access.problems().length === 0)
  assert.deepEqual(await call(limited), [200, ''])
  await server.close()
  await access.close()
  // Also those of the refused batch and of the two requests of the other key.
  assert.equal(await rows(), sent + 3)
  assert.equal(problems.at(-1), 'The ledger is written again')
  const batches = await database.rows('read', 'SELECT id FROM %.batch WHERE is_ready = 1')
  assert.deepEqual(batches, [])
  await store.close()
})
