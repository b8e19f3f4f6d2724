import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageRow } from './usage-data.ts'
import { csvOf } from './csv.ts'

const sums: Omit<UsageRow, 'group'> = {
  usd: '0.0329',
  saved_usd: '0',
  estimated: { requests: 0, usd: '0' },
  requests: 2,
  failed: 1,
  unpriced: 0,
  tokens: { input: 1200, cache_write_5m: 0, cache_write_1h: 0, cache_read: 5000, output: 900 },
  usd_by_type: {
    input: '0.0329',
    cache_write_5m: '0',
    cache_write_1h: '0',
    cache_read: '0',
    output: '0',
    server_tools: '0',
  },
  latency: { p50_ms: 10, p95_ms: 20 },
  first_event: { p50_ms: 1, p95_ms: 2 },
}

test('a line of the CSV has the numbers as they are', () => {
  const [header, line, end] = csvOf([{ group: { day: '2026-11-21', model: 'claude-opus-4-8' }, ...sums }]).split('\n')
  assert.equal(header?.split(',').length, line?.split(',').length)
  assert.equal(line, '2026-11-21,claude-opus-4-8,0.0329,0,2,1,0,1200,0,0,5000,900')
  assert.equal(end, '')
})

test('a model whose name has a comma, a quote or a formula stays one cell of text', () => {
  const [, line] = csvOf([{ group: { day: '2026-11-21', model: '=HYPERLINK("http://x",1)' }, ...sums }]).split('\n')
  assert.ok(line?.startsWith(`2026-11-21,"'=HYPERLINK(""http://x"",1)",0.0329`))
})
