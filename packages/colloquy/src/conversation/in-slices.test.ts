import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { inSlices, mapped, type Pausable } from './in-slices.ts'

describe('inSlices()', () => {
  // Each look at the clock takes a millisecond, so a slice of 10 ms has ten items.
  beforeEach(() => {
    let now = 0
    mock.method(performance, 'now', () => now++)
  })
  afterEach(() => mock.restoreAll())

  test('lets other work run after every ten milliseconds', async () => {
    const slices = [0]
    let isOver = false
    function otherWork(): void {
      slices.push(0)
      if (!isOver) setImmediate(otherWork)
    }
    setImmediate(otherWork)
    await inSlices(mapped(Array(25).keys(), () => slices.push(slices.pop()! + 1)))
    isOver = true
    assert.deepEqual(
      slices.filter((items) => items > 0),
      [10, 10, 5],
    )
  })

  test('returns the result, or throws the error, of the pass', async () => {
    assert.deepEqual(await inSlices(mapped('abc', (letter, index) => letter + index)), ['a0', 'b1', 'c2'])
    function* failing(): Pausable<never> {
      yield
      throw new RangeError('too far')
    }
    await assert.rejects(inSlices(failing()), { name: 'RangeError', message: 'too far' })
  })

  test('uses setTimeout() where there is no setImmediate()', async () => {
    const { setImmediate } = globalThis
    globalThis.setImmediate = undefined as never
    const results = await inSlices(mapped(Array(25).keys(), (item) => item)).finally(() => {
      globalThis.setImmediate = setImmediate
    })
    assert.equal(results.length, 25)
  })
})
