import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyCache } from './key-cache.ts'
import type { KeyRecord, Keys } from './keys.ts'

const key = { id: 'key_1', name: 'ada', expiresAt: null } as KeyRecord

test(
  'a key that was valid is accepted while the database hangs, a new one waits for it',
  { timeout: 120_000 },
  async () => {
    let now = 0
    let hangs = false
    const never = new Promise<KeyRecord>(() => {})
    const keys = { find: () => (hangs ? never : Promise.resolve(key)) } as unknown as Keys
    const cache = new KeyCache(keys, () => now)
    assert.equal(await cache.find('a'), key)
    now += 3_000
    hangs = true
    assert.equal(await cache.find('a'), key)
    assert.equal(await cache.find('a'), key)
    const unknown = Promise.resolve(cache.find('b'))
    assert.equal(await Promise.race([unknown, new Promise((resolve) => setImmediate(resolve, 'waits'))]), 'waits')
    // Not for longer than five minutes.
    now += 300_001
    const old = Promise.resolve(cache.find('a'))
    assert.equal(await Promise.race([old, new Promise((resolve) => setImmediate(resolve, 'waits'))]), 'waits')
  },
)

test('requests without a key that arrive together share one look-up, and retry one that failed', async () => {
  let reads = 0
  let fails = true
  const any = async (): Promise<boolean> => {
    reads++
    if (fails) throw new Error('away')
    return false
  }
  const cache = new KeyCache({ any } as unknown as Keys, () => 0)
  const failed = await Promise.allSettled([cache.any(), cache.any()])
  assert.deepEqual([failed.map(({ status }) => status), reads], [['rejected', 'rejected'], 1])
  fails = false
  assert.deepEqual(
    [await Promise.all([cache.any(), cache.any()]), await cache.any(), reads],
    [[false, false], false, 2],
  )
})
