import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeOnSignal } from './listening.ts'

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

test('a server is closed once when its terminal is, and not by the SIGHUP that nohup ignores', async (t) => {
  const before = names.map((name) => process.listeners(name))
  t.after(() =>
    names.forEach((name, index) =>
      process
        .listeners(name)
        .filter((each) => !before[index]!.includes(each))
        .forEach((each) => process.off(name, each)),
    ),
  )
  const close = t.mock.fn(async () => {})
  const listening = { url: '', port: 0, close }
  const counts = (): number[] => names.map((name, index) => process.listenerCount(name) - before[index]!.length)
  void closeOnSignal(listening, { stopsOnHangup: false })
  assert.deepEqual(counts(), [1, 1, 0])
  const closed = closeOnSignal(listening, { stopsOnHangup: true })
  assert.deepEqual(counts(), [2, 2, 1])
  for (let time = 0; time < 2; time++) process.emit('SIGHUP', 'SIGHUP')
  assert.equal(await closed, 0)
  assert.equal(close.mock.callCount(), 1)
})
