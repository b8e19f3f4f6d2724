import assert from 'node:assert/strict'
import test from 'node:test'
import type { KnownModel } from '../types/message.ts'
import { modelInfo } from './model-info.ts'
import { findModel, findRetiredModel, models, retiredModels } from './models.ts'
import { formatUsd } from './money.ts'

// Does not compile when a name is missing here or unknown there.
const known: Record<KnownModel, true> = {
  'claude-fable-5-2': true,
  'claude-mythos-5-2': true,
  'claude-fable-5-1': true,
  'claude-mythos-5-1': true,
  'claude-fable-5': true,
  'claude-mythos-5': true,
  'claude-mythos-preview': true,
  'claude-opus-5-5': true,
  'claude-opus-5': true,
  'claude-opus-4-8': true,
  'claude-opus-4-7': true,
  'claude-opus-4-6': true,
  'claude-opus-4-5': true,
  'claude-opus-4-5-20251101': true,
  'claude-sonnet-5-5': true,
  'claude-sonnet-5': true,
  'claude-sonnet-4-6': true,
  'claude-sonnet-4-5': true,
  'claude-sonnet-4-5-20250929': true,
  'claude-haiku-5-5': true,
  'claude-haiku-4-5': true,
  'claude-haiku-4-5-20251001': true,
}

test('the catalogue has exactly the models that the types name', () => {
  const names = models.flatMap(({ id, aliases }) => [id, ...aliases])
  assert.deepEqual(names.toSorted(), Object.keys(known).toSorted())
})

test('the catalogue is ordered by release, and prices by day', () => {
  const newestFirst = models.toSorted((a, b) => b.releasedOn.localeCompare(a.releasedOn))
  assert.deepEqual(
    models.map(({ id }) => id),
    newestFirst.map(({ id }) => id),
  )
  for (const { id, releasedOn, prices } of models) {
    const days = prices.map(({ from }) => from)
    assert.deepEqual(days, [...new Set(days)].toSorted(), id)
    if (days.length > 0) assert.equal(days[0], releasedOn, `${id} has no price on its first day`)
    for (const { bands } of prices)
      assert.deepEqual(
        bands.map((band) => band.abovePromptTokens),
        bands.length > 1 ? [0, 100_000] : [0],
        id,
      )
  }
})

test('the catalogue is consistent', () => {
  for (const { id, thinking, effort, lifecycle, retiresOn, staysUntil, releasedOn } of models) {
    assert.ok(thinking.types.includes(thinking.default), id)
    for (const type of Object.keys(thinking.maxEffort ?? {}))
      assert.ok(
        thinking.types.some((each) => each === type),
        id,
      )
    if (effort) assert.ok(effort.levels.includes(effort.default), id)
    assert.equal(lifecycle === 'active' ? retiresOn : staysUntil, undefined, id)
    if (staysUntil) assert.ok(staysUntil > releasedOn, id)
  }
})

/** USD for a million tokens, as the price list prints them: input, output, 5-minute write, 1-hour write, read. */
const priceList: Record<string, string> = {
  'claude-fable-5-2': '8 40 10 16 0.20',
  'claude-mythos-5-2': '8 40 10 16 0.20',
  'claude-fable-5-1': '10 50 12.50 20 0.25',
  'claude-mythos-5-1': '10 50 12.50 20 0.25',
  'claude-fable-5': '10 50 12.50 20 1',
  'claude-mythos-5': '10 50 12.50 20 1',
  'claude-opus-5-5': '4 20 5 8 0.20',
  'claude-opus-5': '5 25 6.25 10 0.50',
  'claude-opus-4-8': '5 25 6.25 10 0.50',
  'claude-opus-4-7': '5 25 6.25 10 0.50',
  'claude-opus-4-6': '5 25 6.25 10 0.50',
  'claude-opus-4-5-20251101': '5 25 6.25 10 0.50',
  'claude-sonnet-5-5': '2 10 2.50 4 0.10',
  'claude-sonnet-5': '2 10 2.50 4 0.20',
  'claude-sonnet-4-6': '3 15 3.75 6 0.30',
  'claude-sonnet-4-5-20250929': '3 15 3.75 6 0.30',
  'claude-haiku-5-5': '0.10 0.50 0.125 0.20 0.01',
  'claude-haiku-4-5-20251001': '1 5 1.25 2 0.10',
}

test('the catalogue has the prices of the price list', () => {
  for (const { id, prices } of models) {
    const band = prices.at(-1)?.bands[0]
    const found = band && [band.input, band.output, band.cacheWrite5m, band.cacheWrite1h, band.cacheRead]
    // Picodollars a token are millionths of a dollar a million tokens.
    assert.deepEqual(
      found,
      priceList[id]?.split(' ').map((usd) => BigInt(Math.round(Number(usd) * 1e6))),
      id,
    )
  }
  const [, long] = findModel('claude-haiku-5-5')!.prices[0]!.bands
  assert.deepEqual(long, {
    abovePromptTokens: 100_000,
    input: 500_000n,
    output: 2_500_000n,
    cacheWrite5m: 625_000n,
    cacheWrite1h: 1_000_000n,
    cacheRead: 50_000n,
  })
  assert.equal(formatUsd(long.output * 1_000_000n), '$2.50')
})

test('findModel() knows aliases, but not retired or invented models', () => {
  assert.equal(findModel('claude-haiku-4-5')?.id, 'claude-haiku-4-5-20251001')
  assert.equal(findModel('claude-opus-5-5')?.id, 'claude-opus-5-5')
  for (const id of ['claude-3-opus-20240229', 'gpt-4', '', 'constructor']) assert.equal(findModel(id), undefined)
})

test('findModel() searches the given entries first', () => {
  const own = { ...findModel('claude-opus-5')!, contextTokens: 7 }
  assert.equal(findModel('claude-opus-5', [own])?.contextTokens, 7)
  assert.equal(findModel('claude-opus-5-5', [own])?.id, 'claude-opus-5-5')
})

test('findRetiredModel() says when a model stopped answering', () => {
  assert.equal(findRetiredModel('claude-3-5-sonnet-latest')?.retiredOn, '2025-10-28')
  assert.equal(findRetiredModel('claude-opus-4-0')?.retiredOn, '2026-06-15')
  assert.equal(findRetiredModel('claude-opus-5'), undefined)
  for (const { id, aliases } of retiredModels)
    for (const name of [id, ...aliases]) assert.equal(findModel(name), undefined)
})

test('modelInfo() describes an entry as the Models API does', () => {
  assert.deepEqual(modelInfo(findModel('claude-sonnet-4-5')!), {
    type: 'model',
    id: 'claude-sonnet-4-5-20250929',
    display_name: 'Claude Sonnet 4.5',
    created_at: '2025-09-29T00:00:00Z',
    max_input_tokens: 200_000,
    max_tokens: 64_000,
    line: 'sonnet',
    lifecycle: 'deprecated',
    deprecated_at: null,
    retires_at: '2026-11-30T00:00:00Z',
    capabilities: {
      batch: { supported: true },
      citations: { supported: true },
      code_execution: { supported: true },
      image_input: { supported: true },
      pdf_input: { supported: true },
      structured_outputs: { supported: true },
      thinking: {
        supported: true,
        types: {
          adaptive: { supported: false },
          between_tools: { supported: false },
          disabled: { supported: true },
          enabled: { supported: true },
        },
      },
      effort: {
        supported: false,
        low: { supported: false },
        medium: { supported: false },
        high: { supported: false },
        xhigh: { supported: false },
        max: { supported: false },
      },
      context_management: {
        supported: true,
        clear_thinking_20251015: { supported: true },
        clear_tool_uses_20250919: { supported: true },
        compact_20260112: { supported: false },
      },
      server_tools: { supported: true, web_search: { supported: true }, code_execution: { supported: true } },
    },
  })
  // Its earliest day is a promise, no appointment.
  assert.equal(modelInfo(findModel('claude-haiku-4-5')!).retires_at, null)
})
