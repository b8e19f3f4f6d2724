import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ticks, topSeries } from './scale.ts'

test('ticks() starts at 0, reaches the largest value and has at most 7 steps', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (max) => {
      const values = ticks(max)
      assert.equal(values[0], 0)
      assert.ok(values.at(-1)! >= max * (1 - 1e-6))
      assert.ok(values.length >= 3 && values.length <= 7, String(values.length))
    }),
  )
})

test('ticks() has an axis when every value is 0', () => assert.deepEqual(ticks(0), [0, 1]))

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
