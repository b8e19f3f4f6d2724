import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainValues, unwritableObjects } from '../../../../test/wrong-values.ts'
import { offline } from '../engines/offline/offline.ts'
import { chatCompletions, script } from '../engines/index.ts'
import { tool } from '../tools/index.ts'
import { memoryStore, openConversations } from './index.ts'
import { postgresStore } from './stores/postgres/store.ts'
import { sqliteStore } from './stores/sqlite/store.ts'

// Every method with arguments that its types exclude: a program without types gets one clear error for each.

/** Without its types. */
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any

const settings = { model: 'claude-sonnet-4-6', max_tokens: 10 }
const conversations: Untyped = openConversations({ engine: offline() })
const conversation: Untyped = await conversations.create(settings)
await conversation.send('hello')
const { id } = conversation
const line = '{"role":"user","content":"a"}'

const values: Record<string, unknown> = {
  ...plainValues,
  'an object': {},
  'an object without a prototype': Object.create(null),
  ...unwritableObjects,
}

const calls: Record<string, (value: Untyped) => unknown> = {
  'openConversations()': (value) => openConversations(value),
  'create()': (value) => conversations.create(value),
  'create() with a message': (value) => conversations.create({ ...settings, messages: [value] }),
  'create() with content': (value) =>
    conversations.create({ ...settings, messages: [{ role: 'user', content: value }] }),
  'create() with a block': (value) =>
    conversations.create({ ...settings, messages: [{ role: 'user', content: [value] }] }),
  'open()': (value) => conversations.open(value),
  'open() with options': (value) => conversations.open(id, value),
  'openOrCreate()': (value) => conversations.openOrCreate(value),
  'list()': (value) => conversations.list(value),
  'list() with a limit': (value) => conversations.list({ limit: value }),
  'open() with an owner': (value) => conversations.open(id, { owner: value }),
  'list() with a time': (value) => conversations.list({ usedBefore: value }),
  'list() from an id': (value) => conversations.list({ before: value }),
  'list() from a place': (value) => conversations.list({ before: { id, updatedAt: value } }),
  'list() from the id of a place': (value) => conversations.list({ before: { id: value, updatedAt: new Date() } }),
  'search()': (value) => conversations.search(value),
  'search() with options': (value) => conversations.search('x', value),
  'search() with a limit': (value) => conversations.search('x', { limit: value }),
  'export()': (value) => Array.fromAsync(conversations.export(value)),
  'import()': (value) => conversations.import(value),
  'import() with options': (value) => conversations.import(line, value),
  'import() with defaults': (value) => conversations.import(line, { ...settings, defaults: value }),
  'importAll() with options': (value) => conversations.importAll(line, value),
  'check()': (value) => Array.fromAsync(conversations.check(value)),
  'resume()': (value) => conversations.resume(value),
  'resume() with options': (value) => conversations.resume(id, value),
  'follow()': (value) => Array.fromAsync(conversations.follow(value)),
  'follow() with options': (value) => Array.fromAsync(conversations.follow(id, value)),
  'stop()': (value) => conversations.stop(value),
  'stop() with options': (value) => conversations.stop(id, value),
  'delete()': (value) => conversations.delete(value),
  'delete() with options': (value) => conversations.delete(id, value),
  'deleteUnusedSince()': (value) => conversations.deleteUnusedSince(value),
  'spending()': (value) => conversations.spending(value),
  'spending() on a day': (value) => conversations.spending({ day: value }),
  'edit()': (value) => conversation.edit(value, 'x'),
  'undo()': (value) => conversation.undo(value),
  'switchTo()': (value) => conversation.switchTo(value),
  'fork()': (value) => conversation.fork(value),
  'erase()': (value) => conversation.erase(value),
  'configure()': (value) => conversation.configure(value),
  'rename()': (value) => conversation.rename(value),
  'update()': (value) => conversation.update(value),
  'preview()': (value) => conversation.preview(value),
  'exchange()': (value) => conversation.exchange(value),
  'path()': (value) => conversation.path(value),
}
for (const name of ['signal', 'onConflict', 'tools', 'toolOptions', 'key', 'stop_sequences', 'cache_control'])
  calls[`send() with ${name}`] = async (value) => {
    const { id: other } = await conversations.create(settings)
    const opened: Untyped = await conversations.open(other)
    return opened.send('Hi', { [name]: value })
  }
for (const name of ['timeoutMs', 'approve', 'maxRounds'])
  calls[`the option toolOptions.${name}`] = (value) =>
    conversation.send('What is 6 * 7?', { toolOptions: { [name]: value }, onConflict: 'branch' })
for (const name of ['usd', 'usdPerCall', 'tokens', 'tokensPerCall', 'fit'])
  calls[`the option budget.${name}`] = (value) => conversations.create({ ...settings, budget: { [name]: value } })
for (const name of ['usdPerDay', 'tokensPerUserDay'])
  calls[`the option limits.${name}`] = (value) => openConversations({ engine: offline(), limits: { [name]: value } })
for (const name of ['name', 'description', 'inputSchema', 'run', 'repeatable'])
  calls[`tool() with ${name}`] = (value: Untyped) =>
    tool({ name: 'a', inputSchema: { type: 'object' }, run: () => '', [name]: value } as never)
calls['script()'] = (value) => script(value)
calls['script() with a reply'] = (value) => script([value])
calls['chatCompletions()'] = (value) => chatCompletions(value)
calls['chatCompletions() with an address'] = (value) => chatCompletions({ baseURL: value })
for (const name of ['engine', 'store', 'limits', 'cache'])
  calls[`the option ${name}`] = (value) => openConversations({ engine: offline(), [name]: value })
for (const name of [
  'messages',
  'id',
  'owner',
  'title',
  'metadata',
  'tools',
  'system',
  'budget',
  'window',
  'betas',
  'model',
  'max_tokens',
])
  calls[`create() with ${name}`] = (value) => conversations.create({ ...settings, [name]: value })

/** Messages of the JavaScript engine, unless one of this library's own precedes them. */
const writtenByEngine =
  /^(?!Cannot (?:set|import|make|send) ).*(?:is not a function|is not iterable|Cannot (?:read propert|convert|destructure)|Maximum call stack|operator|[Cc]ircular|serialize a BigInt)/

for (const [name, call] of Object.entries(calls)) {
  test(`${name}: a value that the types exclude is one clear error, or is taken`, async () => {
    for (const [kind, value] of Object.entries(values)) {
      try {
        await call(value)
      } catch (error) {
        assert.ok(error instanceof Error, `${kind}: ${String(error)}`)
        assert.doesNotMatch(error.message, writtenByEngine, kind)
      }
    }
  })
}

/** Calls with an option that is misspelt or has a wrong value, by a part of the error. */
const mistaken: Record<string, () => unknown> = {
  'ownr of open(): did you mean owner?': () => conversations.open(id, { ownr: 'ada' }),
  'ownr of stop(): did you mean owner?': () => conversations.stop(id, { ownr: 'ada' }),
  'ownr of follow(): did you mean owner?': () => conversations.follow(id, { ownr: 'ada' }).next(),
  'ownr of resume(): ': () => conversations.resume(id, { ownr: 'ada' }),
  'pingMS of toResponse(): did you mean pingMs?': async () => {
    const turn = (await conversations.create(settings)).send('Hi')
    await turn
    return turn.toResponse({ pingMS: 5 })
  },
  'sgnal of changes(): did you mean signal?': () => conversations.changes({ sgnal: AbortSignal.abort() }).next(),
  'pollMs of changes(): it must be a number above 0': () => conversations.changes({ pollMs: Number.NaN }).next(),
  'modl of preview(): did you mean model?': () => conversation.preview('Hi', { modl: 'x' }),
  'rerun as it must be true or false': () => conversation.edit('1', 'Hi', { rerun: 'no' }),
  'leaseMS of memoryStore(): did you mean leaseMs?': () => memoryStore({ leaseMS: 5 } as Untyped),
  'leaseMs of memoryStore(): it must be': () => memoryStore({ leaseMs: Number.NaN }),
  'busyTimeout of sqliteStore(): did you mean busyTimeoutMs?': () =>
    sqliteStore(':memory:', { busyTimeout: 5 } as Untyped),
  'mode of sqliteStore(): it must be a number such as 0o600': () => sqliteStore(':memory:', { mode: '600' } as Untyped),
  'the path of sqliteStore() as it must be text: found undefined': () => sqliteStore(undefined as Untyped),
  'scema of postgresStore(): did you mean schema?': () =>
    postgresStore({ query: async () => ({ rows: [] }) }, { scema: 'x' } as Untyped),
  'the database of postgresStore() as it must have query()': () => postgresStore('postgres://x' as Untyped),
  'journalMs of openConversations(): it must be': () => openConversations({ engine: offline(), journalMs: -1 }),
  'engine of openConversations(): it must be a function': () => openConversations({ engine: {} } as Untyped),
}

for (const [found, call] of Object.entries(mistaken)) {
  test(`a mistake is named: ${found}`, async () => {
    await assert.rejects(
      async () => call(),
      (error: Error) => error.name === 'AnthropicError' && error.message.includes(found),
    )
  })
}

test('an inherited option is an error, as it would be lost when it is stored', async () => {
  class Cheap {
    get usd(): number {
      return 1
    }
  }
  for (const [options, name] of [
    [{ budget: new Cheap() }, 'usd of budget'],
    [{ budget: Object.create({ tokens: 5 }) as object }, 'tokens of budget'],
    [{ window: Object.create({ policy: 'drop' }) as object }, 'policy of window'],
    [Object.create({ system: 'Be brief.' }) as object, 'system of configure()'],
  ] as const) {
    const message = `Cannot use the option ${name}: it is inherited, copy it into the object itself`
    await assert.rejects(conversation.configure(options), { name: 'AnthropicError', message })
  }
})

test('deleteUnusedSince() takes valid dates only', async () => {
  for (const [value, found] of [
    [new Date(Number.NaN), 'an object'],
    [Date.now(), /^\d+$/],
    [undefined, 'undefined'],
  ] as const) {
    await assert.rejects(conversations.deleteUnusedSince(value), (error: Error) => {
      const [, shown = ''] = /^Cannot delete conversations as the time must be a valid Date: found (.*)$/.exec(
        error.message,
      )!
      return typeof found === 'string' ? shown === found : found.test(shown)
    })
  }
})

test('create() and configure() refuse settings that must be objects', async () => {
  for (const name of ['metadata', 'thinking', 'tool_choice', 'output_config'])
    for (const value of [5, 'x', [], true]) {
      const message = new RegExp(`^Cannot set .*${name}.*: found `)
      await assert.rejects(conversations.create({ ...settings, [name]: value }), { message })
      await assert.rejects(conversation.configure({ [name]: value }), { message })
    }
})

test('send() refuses a block with a field that is missing or has a wrong type, and stores nothing', async () => {
  const before = conversation.messages.length
  const blocks = [
    { type: 'image' },
    { type: 'image', source: { type: 'base64', media_type: 'image/png' } },
    { type: 'document', source: { type: 'text', data: 5, media_type: 'text/plain' } },
    { type: 'search_result', source: 'a', title: 'b', content: 'c' },
    { type: 'text', text: 'a', citations: 'b' },
  ]
  for (const block of blocks)
    await assert.rejects(async () => conversation.send([{ type: 'text', text: 'a' }, block]), {
      name: 'ContentError',
      message: `Cannot send content.1: a field of this ${block.type} block is missing or has a wrong type`,
    })
  assert.equal(conversation.messages.length, before)
})
