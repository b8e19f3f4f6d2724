import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lateFinish } from './late-finish.ts'
import type { FinishStep } from './store.ts'

const usage = { input_tokens: 9, output_tokens: 1 }

function record(costPicoUsd: number | null, more: object = {}): string {
  return JSON.stringify({ message: { usage }, cost_pico_usd: costPicoUsd, ...more })
}

function step(reply: string, recovering?: boolean): FinishStep {
  return { id: 'one', handle: 1, state: 'committed', json: '{}', received: null, reply, at: 0, recovering }
}

const none = { picoUsd: 0n, tokens: 0n }

test('lateFinish() is undefined for a process that is only recovering the reply', () => {
  assert.equal(lateFinish(record(5), step(record(5), true)), undefined)
})

test('lateFinish() replaces the provisional charge by the actual one', () => {
  assert.deepEqual(lateFinish(record(5), step(record(7))), {
    replaced: record(5, { unpaid: true }),
    correction: { picoUsd: 2n, tokens: 0n, held: none, unpriced: 0 },
  })
  assert.deepEqual(lateFinish(record(null), step(record(7)))?.correction, {
    picoUsd: 7n,
    tokens: 0n,
    held: none,
    unpriced: -1,
  })
})

test('lateFinish() corrects nothing when the stored reply is unpaid already', () => {
  const stored = record(5, { unpaid: true })
  assert.deepEqual(lateFinish(stored, step(record(7))), { replaced: stored, correction: undefined })
})
