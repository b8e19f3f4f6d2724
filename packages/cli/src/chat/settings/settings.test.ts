import assert from 'node:assert/strict'
import { test } from 'node:test'
import { models } from 'colloquy/protocol'
import type { EngineKind } from '../../engine/engine-kind.ts'
import { Flags } from '../../flags.ts'
import { meantModel, modelId } from './model-name.ts'
import { modelFrom, settingsFrom } from './settings.ts'

const local = (window?: number): EngineKind => ({ kind: 'local', model: { path: '/x.gguf', title: 'X', window } })
const served = (window?: number): EngineKind => ({ kind: 'chat', url: 'http://127.0.0.1:1/v1', model: 'x', window })

test('a prompt and the longest reply fit into the window of the engine together', () => {
  const cases: [engine: EngineKind, maxTokens: string | undefined, reply: number, prompt: number | undefined][] = [
    // A model in this process holds 4,096 tokens, or its own window if it is smaller.
    [local(), undefined, 1_024, 3_072],
    [local(8_192), undefined, 1_024, 3_072],
    [local(2_048), undefined, 512, 1_536],
    [served(2_048), undefined, 512, 1_536],
    [served(131_072), undefined, 8_192, undefined],
    [served(), undefined, 8_192, undefined],
    // A shorter reply leaves more for the prompt. A longer one takes half of the window at most.
    [local(8_192), '100', 100, 3_996],
    [local(8_192), '3000', 3_000, 2_048],
    [served(4_096), '100', 100, 3_996],
    [served(131_072), '100', 100, undefined],
  ]
  for (const [engine, maxTokens, reply, prompt] of cases) {
    const flags = new Flags(new Map(maxTokens === undefined ? [] : [['max-tokens', maxTokens]]), new Map())
    const { max_tokens: longest, window } = settingsFrom(flags, engine)
    assert.deepEqual([longest, window?.atTokens], [reply, prompt], `${JSON.stringify(engine)} ${maxTokens}`)
    assert.equal(window?.policy, prompt === undefined ? 'summarize' : 'drop')
  }
})

test('modelId() is the newest active model of a line, but not at Chat Completions', () => {
  const newest = models.filter(({ line, lifecycle }) => line === 'opus' && lifecycle === 'active')
  const [first] = newest.toSorted((a, b) => b.releasedOn.localeCompare(a.releasedOn))
  assert.equal(modelId('opus', { kind: 'api' }), first!.id)
  assert.equal(modelId('Opus', { kind: 'offline' }), first!.id)
  assert.equal(modelId('claude-opus-4-6', { kind: 'api' }), 'claude-opus-4-6')
  assert.equal(modelId('opus', { kind: 'url', url: 'http://127.0.0.1:4141' }), first!.id)
  assert.equal(modelId('opus', { kind: 'chat', url: 'http://127.0.0.1:11434/v1' }), 'opus')
})

test('meantModel() is the nearest name for one that the catalogue does not have', () => {
  assert.equal(meantModel('claude-sonnet-4-6'), undefined)
  assert.equal(meantModel('claude-sonnet-4.6'), 'claude-sonnet-4-6')
  assert.equal(meantModel('llama3.2:1b'), undefined)
})

test('modelFrom() takes the name of a line from a flag and from the environment', () => {
  const haiku = modelId('haiku', { kind: 'api' })
  assert.match(haiku, /^claude-haiku-/)
  assert.equal(modelFrom(new Flags(new Map([['model', 'haiku']])), { kind: 'api' }, {}), haiku)
  const env = { ANTHROPIC_MODEL: 'haiku', ANTHROPIC_BASE_URL: 'http://127.0.0.1:4141' }
  assert.equal(modelFrom(new Flags(new Map()), { kind: 'api' }, env), haiku)
})
