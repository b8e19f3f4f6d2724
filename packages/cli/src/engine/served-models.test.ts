import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { ConversationSettings } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import { APIConnectionTimeoutError } from 'colloquy/protocol'
import { startChatServer } from '../../../../test/engines/chat-server.ts'
import { changesFrom, modelFrom, settingsToContinue } from '../chat/settings/settings.ts'
import { UsageError } from '../exit.ts'
import { Flags } from '../flags.ts'
import { knownEngine } from './choose.ts'
import type { EngineKind } from './engine-kind.ts'
import { findEngine } from './first-engine.ts'
import { withServedModel } from './served-models.ts'

for (const name of Object.keys(process.env)) if (/^(?:ANTHROPIC|COLLOQUY|OPENAI)_/.test(name)) delete process.env[name]

const closing: (() => Promise<void>)[] = []
after(() => Promise.all(closing.map((close) => close())))

/** The address of a server with these models. */
async function serverWith(models: readonly string[] | undefined): Promise<string> {
  const { baseURL, close } = await startChatServer(offline(), { models })
  closing.push(close)
  return `chat:${baseURL}`
}

function find(given: Record<string, string>, configured: Record<string, string> = {}): Promise<EngineKind> {
  return findEngine(flagsOf(given, configured), {
    mayFetch: false,
    say: () => {},
    progress: () => assert.fail('nothing is fetched'),
    signal: new AbortController().signal,
    isStoppedByUser: false,
  })
}

function flagsOf(given: Record<string, string>, configured: Record<string, string> = {}): Flags {
  return new Flags(new Map(Object.entries(given)), new Map(Object.entries(configured)))
}

async function withEnvironment<T>(variables: Record<string, string>, work: () => Promise<T>): Promise<T> {
  Object.assign(process.env, variables)
  try {
    return await work()
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name]
  }
}

test('the only model of a Chat Completions server is used', async () => {
  const engine = await serverWith(['qwen3:8b'])
  const found = await find({ engine }, { model: 'claude-opus-5-5' })
  assert.equal(modelFrom(flagsOf({ engine }), found), 'qwen3:8b')
})

test('a model that was named is used without asking the server', async () => {
  const engine = 'chat:http://127.0.0.1:1/v1'
  for (const flags of [flagsOf({ engine, model: 'any' }), flagsOf({ engine, model: 'any' }, { model: 'other' })])
    assert.equal(modelFrom(flags, knownEngine(flags)!), 'any')
  await withEnvironment({ COLLOQUY_MODEL: 'mine' }, async () => {
    assert.equal(modelFrom(flagsOf({ engine }), knownEngine(flagsOf({ engine }))!), 'mine')
  })
})

test('of several models a default of the user is used, or the error lists them', async () => {
  const engine = await serverWith(['qwen3:8b', 'gpt-oss:20b', 'claude-like'])
  const model = async (env: Record<string, string>): Promise<string> =>
    withEnvironment(env, async () => modelFrom(flagsOf({ engine }), await find({ engine })))
  assert.equal(await model({ COLLOQUY_MODEL: 'claude-like' }), 'claude-like')
  assert.equal(await model({ ANTHROPIC_MODEL: 'gpt-oss:20b' }), 'gpt-oss:20b')
  const host = new URL(engine.slice('chat:'.length)).host
  const message = `Cannot choose a model of ${host}: name one with -m. It has qwen3:8b, gpt-oss:20b, claude-like`
  for (const env of [{}, { COLLOQUY_MODEL: 'claude-sonnet-5-5' }])
    await assert.rejects(model(env), (error) => error instanceof UsageError && error.message === message)
})

test('an error lists at most ten models', async () => {
  const engine = await serverWith(Array.from({ length: 300 }, (_, index) => `model-${index}`))
  const found = await find({ engine })
  assert.throws(() => modelFrom(flagsOf({ engine }), found), /It has model-0, .*model-9, 290 more$/)
})

test('a server without a list of models, and one that is not there, are one error each', async () => {
  const hasNone = /Cannot choose a model of 127\.0\.0\.1:\d+: it lists none\. Name one with -m$/
  for (const models of [undefined, []]) await assert.rejects(find({ engine: await serverWith(models) }), hasNone)
  await assert.rejects(find({ engine: 'chat:http://127.0.0.1:1/v1' }), /cannot reach http:\/\/127\.0\.0\.1:1 /)
})

test('a chat that is continued keeps its model if the server has it', async () => {
  const engine = await serverWith(['qwen3:8b', 'gpt-oss:20b'])
  const found = await find({ engine })
  const settings = (model: string): ConversationSettings => ({ model, max_tokens: 100 })
  assert.deepEqual(settingsToContinue(settings('gpt-oss:20b'), found, flagsOf({ engine })), {})
  assert.throws(() => settingsToContinue(settings('claude-opus-5-5'), found, flagsOf({ engine })), UsageError)
  const named = flagsOf({ engine, model: 'gpt-oss:20b' })
  assert.equal(
    changesFrom(named, settings('claude-opus-5-5'), await find({ engine, model: 'gpt-oss:20b' })).model,
    'gpt-oss:20b',
  )
})

test('a server that does not list its models in time is named, and not waited for', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`
  await assert.rejects(withServedModel({ kind: 'chat', url }, undefined, { timeoutMs: 20 }), (error: Error) => {
    assert.ok(error instanceof APIConnectionTimeoutError, error.message)
    return true
  })
  silent.closeAllConnections()
  silent.close()
})
