import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { every } from './ticker.ts'

function withTimers(context: TestContext): (ms: number) => void {
  context.mock.timers.enable({ apis: ['setInterval'] })
  return (ms) => context.mock.timers.tick(ms)
}

test('functions with one interval are called together, whenever they began', (context) => {
  const tick = withTimers(context)
  const calls: string[] = []
  const ends = [every(250, () => calls.push('first'))]
  tick(100)
  ends.push(every(250, () => calls.push('second')))
  ends.push(every(1_000, () => calls.push('slow')))
  tick(149)
  assert.deepEqual(calls, [])
  tick(1)
  assert.deepEqual(calls.splice(0), ['first', 'second'])
  ends[0]!()
  tick(250)
  assert.deepEqual(calls.splice(0), ['second'])
  ends[1]!()
  tick(600)
  assert.deepEqual(calls, ['slow'])
  ends[2]!()
})

test('the next function after all have ended waits for a whole interval', (context) => {
  const tick = withTimers(context)
  every(250, () => {})()
  tick(200)
  let calls = 0
  const end = every(250, () => calls++)
  tick(249)
  assert.equal(calls, 0)
  tick(1)
  assert.equal(calls, 1)
  end()
  tick(1_000)
  assert.equal(calls, 1)
})

test('no more than 50 functions are called together, so that they do not block the event loop for long', (context) => {
  const tick = withTimers(context)
  const calls: number[] = []
  const ends: (() => void)[] = []
  for (let number = 0; number < 120; number++) {
    if (number % 50 === 0) tick(10)
    ends.push(every(250, () => calls.push(number)))
  }
  const sizes = [230, 10, 10].map((ms) => {
    tick(ms)
    return calls.splice(0).length
  })
  assert.deepEqual(sizes, [50, 50, 20])
  // The newest ticker still has room after the older ones are empty.
  for (const end of ends.slice(0, 100)) end()
  ends.push(every(250, () => calls.push(120)))
  tick(250)
  assert.equal(calls.splice(0).length, 21)
  for (const end of ends) end()
  tick(1_000)
  assert.deepEqual(calls, [])
})
