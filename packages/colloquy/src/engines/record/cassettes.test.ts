import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import Anthropic from '../../index.ts'
import { offline } from '../offline/offline.ts'
import { script } from '../script.ts'
import { cassette, cassetteFile } from './cassettes.ts'
import { engineFetch } from './engine-fetch.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-cassettes-'))
after(() => rmSync(folder, { recursive: true }))

function clientOf(engine: ReturnType<typeof cassette>): Anthropic {
  return new Anthropic({ fetch: engineFetch(engine), apiKey: 'any', baseURL: 'http://colloquy.test', maxRetries: 0 })
}

const request = {
  model: 'claude-opus-5-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Count to 3' }],
}

test('cassette() records to a file and replays from it, through a client', async (t) => {
  const path = join(folder, 'deep', 'counting.json')
  const recording = clientOf(cassette(t, { path, engine: offline(), mode: 'record-missing' }))
  const recorded = await recording.messages.stream(request).finalMessage()
  await recording.messages.countTokens({ model: request.model, messages: request.messages })
  assert.deepEqual(readdirSync(join(folder, 'deep')), ['counting.json'])
  const replaying = clientOf(cassette(t, { path: pathToFileURL(path) }))
  assert.deepEqual(await replaying.messages.create(request), { ...recorded })
  const other = replaying.messages.create({ ...request, max_tokens: 7 })
  await assert.rejects(other, { status: 400, message: /max_tokens: recorded 100, now 7/ })
})

test('cassette() names the file by the test of node:test, vitest and jest', async (t) => {
  const write = async (context: Parameters<typeof cassette>[0]): Promise<void> => {
    await clientOf(cassette(context, { engine: script(['Hi.']), mode: 'record' })).messages.create(request)
  }
  await write({ fullName: 'trip > plans a trip', filePath: join(folder, 'node.test.ts') })
  const file = { filepath: join(folder, 'vi.spec.mjs') }
  await write({ task: { name: 'plans a trip', file, suite: { name: 'trip', file } } })
  const { expect } = globalThis as { expect?: unknown }
  t.after(() => Object.assign(globalThis, { expect }))
  const state = { currentTestName: 'Reise: plant für Zürich', testPath: join(folder, 'jest.test.js') }
  Object.assign(globalThis, { expect: { getState: () => state } })
  await write(undefined)
  Object.assign(globalThis, { expect: undefined })
  assert.throws(() => cassette(undefined), /Cannot tell which test is running: pass the argument/)
  const made = readdirSync(join(folder, 'cassettes'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  )
  assert.deepEqual(
    made.toSorted((a, b) => a.localeCompare(b)),
    [
      join('jest.test', 'reise-plant-fu-r-zu-rich.json'),
      join('node.test', 'trip-plans-a-trip.json'),
      join('vi.spec', 'trip-plans-a-trip.json'),
    ],
  )
})

test('cassette() takes its mode from the environment, and removes the keys of the environment', async (t) => {
  const path = join(folder, 'keys.json')
  const before = { ...process.env }
  t.after(() => {
    process.env = before
  })
  Object.assign(process.env, { COLLOQUY_CASSETTES: 'record', TEAM_API_KEY: 'plain-looking-key' })
  const engine = script([{ reply: 'Your key is plain-looking-key.' }])
  await clientOf(cassette(t, { path, engine })).messages.create(request)
  assert.match(readFileSync(path, 'utf8'), /Your key is \[removed\]\./)
  process.env['COLLOQUY_CASSETTES'] = 'rekord'
  assert.throws(() => cassette(t, { path }), /Cannot use mode of record\(\): it must be .*: found "rekord"/)
})

test('cassetteFile() says what it cannot read', async () => {
  await assert.rejects(cassetteFile(folder).read(), { code: 'EISDIR' })
  assert.equal(await cassetteFile(join(folder, 'none.json')).read(), undefined)
})

test('engineFetch() answers a client as a server does', async () => {
  const engine = script([
    { error: { type: 'rate_limit_error', headers: { 'retry-after': '3' } } },
    { reply: 'Hello there', error: { type: 'overloaded_error' }, after: 3 },
    { reply: 'Hello there', cut: 'reset', after: 3 },
    { reply: 'Hello there', stall: true, after: 2 },
  ])
  const client = new Anthropic({ fetch: engineFetch(engine), apiKey: 'any', maxRetries: 0 })
  await assert.rejects(client.messages.create(request), { status: 429, retryAfterMs: 3_000 })
  await assert.rejects(client.messages.stream(request, { recover: { attempts: 0 } }).done(), {
    type: 'overloaded_error',
  })
  await assert.rejects(client.messages.stream(request, { recover: { attempts: 0 } }).done(), { name: 'APIStreamError' })
  const stalled = client.messages.stream(request)
  setTimeout(() => stalled.abort(), 20)
  await assert.rejects(stalled.done(), { name: 'APIUserAbortError' })
  await assert.rejects(client.models.retrieve('x'), { status: 404 })
  assert.ok((await client.messages.countTokens({ model: 'm', messages: request.messages })).input_tokens > 0)
})
