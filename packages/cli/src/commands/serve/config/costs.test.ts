import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServeConfig } from './config.ts'
import { isFree, mayCost } from './costs.ts'

const engines: ServeConfig['engines'] = {
  claude: { type: 'api' },
  gpu: { type: 'chat', baseURL: 'http://127.0.0.1:8000/v1' },
  small: { type: 'local', model: 'small.gguf' },
}

test('mayCost() is true of a model whose route has an engine of the API', () => {
  const routes: ServeConfig['routes'] = {
    qwen3: 'gpu',
    'qwen*': ['gpu', { engine: 'claude', model: 'claude-haiku-4-5' }],
    'qwen3-max*': { to: { engine: 'claude' } },
    'small*': { to: ['small', 'gpu'], maxConcurrent: 2 },
    '*': 'claude',
  }
  const costs = (model: string): boolean => mayCost({ engines, routes }, model)
  assert.deepEqual(['qwen3', 'qwen3-coder', 'qwen3-max-1', 'small-1', 'claude-next', '*', 'constructor'].map(costs), [
    false,
    true,
    true,
    false,
    true,
    true,
    true,
  ])
  // Routes by the names of the catalogue hold for each name of a model.
  const byAlias = { engines, routes: { 'claude-haiku-4-5': 'claude', '*': 'gpu' } }
  assert.equal(mayCost(byAlias, 'claude-haiku-4-5-20251001'), true)
  // Without a route for a model, no engine is asked.
  assert.equal(mayCost({ engines, routes: { qwen3: 'claude' } }, 'other'), false)
  assert.equal(mayCost({ engines: { claude: { type: 'api' } } }, 'any'), true)
  assert.equal(mayCost({ engines: { gpu: engines['gpu']! } }, 'any'), false)
})

test('isFree() is false of an engine that is not in the configuration', () => {
  assert.deepEqual(
    ['claude', 'gpu', 'small', 'other', undefined].map((name) => isFree({ engines }, name)),
    [false, true, true, false, false],
  )
})
