import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openServerStore } from '../../state/server-store.ts'
import { Keys } from './keys.ts'

test('update() keeps what another process changes at the same time', async () => {
  const store = await openServerStore(':memory:')
  const keys = new Keys(store.database)
  await keys.create({ name: 'ada', limits: { requests_per_minute: 1 } })
  await Promise.all([
    keys.update('ada', { models: ['claude-*'] }),
    keys.update('ada', { limits: { requests_per_minute: 2 } }),
    keys.update('ada', { expiresAt: 2e12 }),
  ])
  const { settings, expiresAt } = await keys.get('ada')
  const expected = { limits: { requests_per_minute: 2 }, models: ['claude-*'] }
  assert.deepEqual([settings, expiresAt], [expected, 2e12])
  await store.close()
})
