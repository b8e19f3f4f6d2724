import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addToTotals, type CountedReply, noTotals, TotalsCounter } from './totals.ts'

function record(picoUsd: number): string {
  return JSON.stringify({ message: { usage: { input_tokens: 1, output_tokens: 1 } }, cost_pico_usd: picoUsd })
}

test('TotalsCounter saves the totals up to the first reply that has not ended', () => {
  const counter = new TotalsCounter(null)
  counter.addErased(record(1))
  counter.add({ number: 2, state: 'committed', reply: record(10) })
  counter.add({ number: 4, state: 'streaming', reply: record(100) })
  counter.add({ number: 6, state: 'committed', reply: record(1_000) })
  counter.end(7)
  assert.equal(counter.totals.picoUsd, 1_111n)
  const next = new TotalsCounter(counter.save())
  assert.deepEqual([next.isNew, next.countedTo, next.totals.picoUsd, next.totals.calls], [false, 2, 11n, 2])
})

test('TotalsCounter gets the same totals however often it is saved and continued', () => {
  const replies = fc.array(fc.record({ cost: fc.nat(1_000), isEnded: fc.boolean(), cuts: fc.boolean() }))
  fc.assert(
    fc.property(replies, (list) => {
      const records = list.map(({ cost }) => record(cost))
      let counter = new TotalsCounter(null)
      for (const [index, { cuts }] of list.entries()) {
        if (!cuts) continue
        // Until here some replies have not ended yet; later they all have.
        counter = new TotalsCounter(counter.save())
        const now = list.slice(0, index + 1).map(({ isEnded }, at): CountedReply => {
          return isEnded
            ? { number: at + 1, state: 'committed', reply: records[at]! }
            : { number: at + 1, state: 'pending', reply: null }
        })
        for (const reply of now.slice(counter.countedTo)) counter.add(reply)
        counter.end(now.length)
      }
      counter = new TotalsCounter(counter.save())
      const all = records.map((reply, at): CountedReply => ({ number: at + 1, state: 'committed', reply }))
      for (const reply of all.slice(counter.countedTo)) counter.add(reply)
      counter.end(all.length)
      assert.deepEqual(counter.totals, records.reduce(addToTotals, noTotals))
      assert.equal(counter.countedTo, all.length)
    }),
  )
})
