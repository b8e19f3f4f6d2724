import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTask } from 'node:timers/promises'
import { test } from 'node:test'
import type { BegunTurn } from '../store.ts'
import { sqliteStore } from './store.ts'

test('list() counts replies that another process erases meanwhile, and no other conversation in their place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  const [here, there] = [sqliteStore(join(folder, 'a.db')), sqliteStore(join(folder, 'a.db'))]
  const create = (id: string): Promise<unknown> => here.create({ id, title: null, settings: '{}', at: 1 })
  const reply = '{"message":{"usage":{"input_tokens":1}},"cost_pico_usd":7}'
  const meanwhile: Record<string, (version: number) => Promise<unknown>> = {
    prune: (version) => there.prune('one', version, 1),
    'delete and create': async () => {
      await there.delete('one')
      await create('two')
    },
  }
  for (const [name, act] of Object.entries(meanwhile)) {
    for (let tasks = 0; tasks < 3; tasks++) {
      await create('one')
      const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
      const { handle, version } = (await here.begin({ id: 'one', version: 1, parent: 0, messages, at: 1 })) as BegunTurn
      await here.finish({ id: 'one', handle, state: 'committed', json: '{}', received: null, reply, at: 1 })
      const listing = here.list({ limit: 9 })
      for (let task = 0; task < tasks; task++) await nextTask()
      await act(version)
      const totals = (listed: Awaited<typeof listing>): Record<string, bigint> =>
        Object.fromEntries(listed.map((each) => [each.id, each.totals!.picoUsd]))
      const found = totals(await listing)
      if (name === 'prune') assert.deepEqual(found, { one: 7n }, `${tasks} tasks`)
      else assert.deepEqual([found['one'] ?? 7n, found['two'] ?? 0n], [7n, 0n], `${tasks} tasks`)
      assert.deepEqual(totals(await here.list({ limit: 9 })), name === 'prune' ? { one: 7n } : { two: 0n })
      for (const id of ['one', 'two']) await here.delete(id)
    }
  }
  await Promise.all([here.close(), there.close()])
  rmSync(folder, { recursive: true })
})
