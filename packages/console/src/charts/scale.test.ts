import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ticks, topSeries } from './scale.ts'

test('ticks() starts at 0, reaches the largest value and has at most 7 steps', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (max) => {
      const values = ticks([max, 0.5])
      assert.equal(values[0], 0)
      assert.ok(values.at(-1)! >= Math.max(max, 0.5) * (1 - 1e-6))
      assert.ok(values.length >= 3 && values.length <= 7, String(values.length))
    }),
  )
})

test('ticks() has whole numbers when all values are', () => {
  for (let max = 0; max <= 200; max++) {
    const values = ticks([0, max])
    assert.ok(values.every(Number.isInteger), `${max}: ${values.join()}`)
    assert.ok(values.at(-1)! >= max && values.length <= 7)
  }
  assert.deepEqual(
    [ticks([]), ticks([3]), ticks([9]), ticks([0.9])],
    [
      [0, 1],
      [0, 1, 2, 3],
      [0, 5, 10],
      [0, 0.25, 0.5, 0.75, 1],
    ],
  )
})

test('topSeries() keeps the sum of each point', () => {
  const values = fc.dictionary(fc.stringMatching(/^[a-p]$/), fc.nat({ max: 1000 }), { maxKeys: 16 })
  fc.assert(
    fc.property(fc.array(fc.record({ values }), { maxLength: 6 }), (points) => {
      const top = topSeries(points)
      assert.ok(top.series.length <= 8)
      assert.deepEqual(top.points.map(sum), points.map(sum))
    }),
  )
})

function sum({ values }: { values: Record<string, number> }): number {
  return Object.values(values).reduce((total, value) => total + value, 0)
}
