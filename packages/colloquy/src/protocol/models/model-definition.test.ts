import assert from 'node:assert/strict'
import test from 'node:test'
import { costOf } from './cost.ts'
import type { Usage } from '../types/message.ts'
import { type ModelDefinition, defineModels } from './model-definition.ts'
import { modelInfo } from './model-info.ts'
import { findModel } from './models.ts'

const usage: Usage = {
  input_tokens: 1_000_000,
  cache_creation_input_tokens: 1_000_000,
  cache_read_input_tokens: 1_000_000,
  output_tokens: 1_000_000,
}
const limits = { contextTokens: 32_768, maxOutputTokens: 8_192 }

test('defineModels() gives a model every capability that is not denied', () => {
  const [entry] = defineModels([{ id: 'llama', ...limits, prefill: false }])
  assert.ok(entry)
  const { id, displayName, aliases, contextTokens, prefill, sampling, prices } = entry
  assert.deepEqual([id, displayName, aliases, contextTokens], ['llama', 'llama', [], 32_768])
  assert.deepEqual([prefill, sampling, prices], [false, true, []])
  assert.equal(modelInfo(entry).created_at, '1970-01-01T00:00:00Z')
  assert.equal(costOf(usage, 'llama', { models: [entry] }), undefined)
})

test('defineModels() copies everything but the names from the model in `like`', () => {
  const [first, second] = defineModels([
    { id: 'ours', like: 'claude-haiku-4-5', aliases: ['fast'] },
    { id: 'theirs', like: 'fast', contextTokens: 100_000 },
  ])
  const haiku = findModel('claude-haiku-4-5')!
  assert.deepEqual(first, { ...haiku, id: 'ours', aliases: ['fast'], displayName: 'ours' })
  assert.deepEqual(second, { ...haiku, id: 'theirs', aliases: [], displayName: 'theirs', contextTokens: 100_000 })
})

test('defineModels() reads prices exactly, whether strings or numbers', () => {
  const price = (price: ModelDefinition['price']): unknown =>
    costOf(usage, 'x', { models: defineModels([{ id: 'x', ...limits, price: price! }]) })?.parts
  assert.deepEqual(price({ input: '0.1', output: 0.3 }), {
    input: 100_000_000_000n,
    cacheWrite5m: 125_000_000_000n,
    cacheWrite1h: 0n,
    cacheRead: 10_000_000_000n,
    output: 300_000_000_000n,
    serverTools: 0n,
  })
  assert.deepEqual(price({ input: 0, output: 0, cacheWrite5m: '0', cacheWrite1h: 0, cacheRead: '1.5' }), {
    input: 0n,
    cacheWrite5m: 0n,
    cacheWrite1h: 0n,
    cacheRead: 1_500_000_000_000n,
    output: 0n,
    serverTools: 0n,
  })
})

test('defineModels() names the path of a mistake', () => {
  const defined = (value: unknown) => () => defineModels(value as ModelDefinition[])
  assert.throws(defined([{ id: 'x', contextToken: 1, price: { input: '$3', output: 1 } }]), (error: Error) => {
    assert.ok(error instanceof RangeError)
    assert.match(error.message, /^Cannot define models:\n/)
    assert.match(error.message, /^0\.contextToken: is not a property/m)
    assert.match(error.message, /^0\.price\.input: /m)
    return true
  })
  assert.throws(defined({ id: 'x' }), /Cannot define models:\nmust be an array/)
  assert.throws(defined([{ id: 'x' }]), {
    message: 'Cannot define x without contextTokens and maxOutputTokens, or a model that it is like',
  })
  assert.throws(defined([{ id: 'x', like: 'gpt-4' }]), {
    message: 'Cannot define x as it is like a model that is not known: gpt-4',
  })
  assert.throws(defined([{ id: 'x', ...limits, price: { input: 1e-9, output: 1 } }]), /Cannot read an amount of money/)
})
