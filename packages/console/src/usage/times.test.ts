import assert from 'node:assert/strict'
import test from 'node:test'
import { times } from './times.ts'
import type { UsageRow } from './usage-data.ts'

const percentiles = { p50_ms: 1, p95_ms: 2, p99_ms: 3 }

function row(requests: number, failed: number, first: number | null): UsageRow {
  // `times()` reads only these.
  return { requests, failed, latency: percentiles, first_event: { ...percentiles, p50_ms: first } } as UsageRow
}

test('times() leaves out what was not measured', () => {
  assert.deepEqual(times(row(2, 1, null)), { 'first token, p95': 2, 'end, p50': 1, 'end, p95': 2 })
})

test('times() has no values for a day on which every request failed', () => {
  assert.deepEqual(times(row(2, 2, 1)), {})
})
