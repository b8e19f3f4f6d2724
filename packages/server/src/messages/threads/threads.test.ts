import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import Official from '@anthropic-ai/sdk'
import Anthropic from 'colloquy'
import { type Engine, offline, script } from 'colloquy/engines'
import type { ErrorBody, Message, MessageCreateParams, MessageParam } from 'colloquy/protocol'
import fc from 'fast-check'
import { databasePlaces } from '../../../../../test/databases.ts'
import { openAccess, type StoreAccess } from '../../access/open-access.ts'
import { createServer, type Server } from '../../app.ts'
import type { RequestRow } from '../../ledger/request-row.ts'
import type { Database } from '../../state/database.ts'
import { migrations } from '../../state/migrations.ts'
import { SqliteDatabase } from '../../state/sqlite-database.ts'
import { ThreadStore } from './thread-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-threads-'))
after(() => rmSync(folder, { recursive: true }))

const baseURL = 'http://colloquy.test'
const beta = 'message-threads-2026-08-12'
const params = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const say = (content: string): { role: 'user'; content: string } => ({ role: 'user', content })

for (const [name, makePlace] of Object.entries(databasePlaces())) {
  describe(`threads on ${name}`, () => {
    const open = (): Database => makePlace(folder)(migrations)

    test('the clients send each message once, in turns that stream and call tools', async (t) => {
      for (const Client of [Official, Anthropic]) {
        const { engine, requests } = recorded(offline())
        const sent: MessageCreateParams[] = []
        const { server } = await serve(t, { database: open(), engine })
        const client = new Client({ fetch: spied(server, sent), baseURL, apiKey: 'k', maxRetries: 0 }) as Official
        const thread = client.beta.messages.thread({ ...params, system: 'Be brief.' })
        await thread.send(say('one'))
        const second = thread.stream(say('two'))
        const streamed = await second.finalMessage()
        await thread.send(say('three'))
        assert.equal(thread.previousMessageId !== streamed.id, true)
        assert.deepEqual(
          sent.map(({ thread, messages, system }) => [thread!.type, messages.length, system]),
          [
            ['create', 1, 'Be brief.'],
            ['continue', 1, undefined],
            ['continue', 1, undefined],
          ],
        )
        const last = requests.at(-1)!
        assert.deepEqual(last.messages, thread.messages.slice(0, -1))
        assert.deepEqual([last.system, last.thread], ['Be brief.', undefined])
      }
    })

    test('a tool runner of the official client runs over a thread', async (t) => {
      const { engine, requests } = recorded(
        script([
          {
            reply: {
              content: [{ type: 'tool_use', id: 'toolu_1', name: 'add', input: { a: 1, b: 2 } }],
              stop_reason: 'tool_use',
            },
          },
          { reply: 'It is 3.' },
        ]),
      )
      const sent: MessageCreateParams[] = []
      const { server } = await serve(t, { database: open(), engine })
      const client = new Official({ fetch: spied(server, sent), baseURL, apiKey: 'k', maxRetries: 0 })
      const add = {
        name: 'add',
        description: 'Adds.',
        input_schema: { type: 'object' as const },
        run: ({ a, b }: { a: number; b: number }) => String(a + b),
        parse: (input: unknown) => input as { a: number; b: number },
      }
      const runner = client.beta.messages.toolRunner({
        ...params,
        messages: [{ role: 'user', content: 'Add.' }],
        tools: [add],
      })
      const final = await runner.runUntilDone()
      assert.equal((final.content[0] as { text: string }).text, 'It is 3.')
      assert.deepEqual(
        sent.map(({ thread, messages, tools }) => [thread!.type, messages.length, tools?.length]),
        [
          ['create', 1, 1],
          ['continue', 1, undefined],
        ],
      )
      assert.deepEqual([requests[1]!.messages.length, requests[1]!.tools?.length], [3, 1])
    })

    test('a thread is continued once, within its time, by its key and by any server', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const database = open()
      const { server, access } = await serve(t, { database, now: () => now })
      const other = await serve(t, { database, now: () => now })
      const eve = await access.keys.create({ name: 'eve', workspace: 'eves' })
      const first = await created(server)
      const cases: [key: string, id: string][] = [
        ['k', 'msg_unknown'],
        [eve.secret, first.id],
        ['l', first.id],
      ]
      for (const [key, id] of cases)
        assert.deepEqual(await refusedBy(server, continued(id), key), [404, 'not_found_error', 'thread_not_found'])
      const second = await replied(other.server, continued(first.id))
      assert.deepEqual(await refusedBy(server, continued(first.id)), [
        400,
        'invalid_request_error',
        'thread_already_continued',
      ])
      now += 299_999
      const third = await replied(server, continued(second.id))
      now += 300_000
      assert.equal((await refusedBy(other.server, continued(third.id)))[2], 'thread_not_found')
    })

    test('a request that differs from its thread is refused with the names of the fields', async (t) => {
      const { server } = await serve(t, { database: open() })
      const tools = [{ name: 'f', input_schema: { type: 'object', properties: {} } }]
      const { id } = await created(server, { system: 'Be brief.', tools, thinking: { type: 'adaptive' } })
      const same = { ...continued(id), thinking: { type: 'adaptive' } }
      const changes: [change: object, fields: string, betas?: string][] = [
        [{ model: 'claude-opus-4-6' }, 'model'],
        [{ thinking: undefined, tool_choice: { type: 'auto' } }, 'tool_choice, thinking'],
        [{ output_config: { effort: 'low' } }, 'output_config'],
        [{ cache_control: { type: 'ephemeral' } }, 'cache_control'],
        [{ system: 'Be long.' }, 'system'],
        [{ tools: [] }, 'tools'],
        [{}, 'anthropic-beta', `${beta},files-api-2025-04-14`],
      ]
      for (const [change, fields, betas] of changes) {
        const { error } = await errorOf(server, { ...same, ...change }, 'k', betas)
        assert.equal(error.message, `thread: the request does not match its thread; differing field(s): ${fields}`)
        assert.deepEqual(error.details, { error_code: 'thread_fingerprint_mismatch' })
      }
      // The same values may be sent, in any order of their keys, and so may other parameters.
      const again = [{ input_schema: { properties: {}, type: 'object' }, name: 'f' }]
      await replied(server, { ...same, tools: again, system: 'Be brief.', max_tokens: 7, stop_sequences: ['x'] })
    })

    test('one request at a time continues a thread, and one that fails gives it back', async (t) => {
      const engine = script([
        { reply: 'One' },
        { reply: 'Two', after: 1, stall: true },
        { error: { type: 'overloaded_error' } },
        { reply: 'Three', after: 3, error: { type: 'api_error' } },
        { reply: 'Four' },
      ])
      const { server } = await serve(t, { database: open(), engine })
      const { id } = await created(server)
      const body = (await ask(server, { ...continued(id), stream: true })).body!.getReader()
      await body.read()
      assert.equal((await refusedBy(server, continued(id)))[2], 'thread_continue_in_flight')
      await body.cancel()
      while ((await refusedBy(server, { ...continued(id), max_tokens: -1 }))[2] === 'thread_continue_in_flight')
        await new Promise((resolve) => setTimeout(resolve, 5))
      assert.equal((await refusedBy(server, continued(id)))[0], 529)
      const cut = await ask(server, { ...continued(id), stream: true })
      assert.match(await cut.text(), /event: error/)
      await replied(server, continued(id))
    })

    test('the claim of a server that was killed runs out', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const database = open()
      const stalled = script([{ reply: 'One' }, { reply: 'Two', after: 1, stall: true }])
      const { server } = await serve(t, { database, engine: stalled, now: () => now })
      const { id } = await created(server)
      const reader = (await ask(server, { ...continued(id), stream: true })).body!.getReader()
      await reader.read()
      const other = await serve(t, { database, now: () => now })
      now += 29_000
      assert.equal((await refusedBy(other.server, continued(id)))[2], 'thread_continue_in_flight')
      now += 2_000
      await replied(other.server, continued(id))
      assert.equal((await refusedBy(other.server, continued(id)))[2], 'thread_already_continued')
      await reader.cancel()
    })

    test('threads that have expired are erased, with their history', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const database = open()
      const { server } = await serve(t, { database, now: () => now })
      const old = await created(server)
      await replied(server, continued(old.id))
      now += 200_000
      const young = await created(server)
      now += 100_000
      await new ThreadStore(database).prune(now)
      const left = await database.rows<{ id: string }>('read', 'SELECT id FROM %.thread_reply')
      assert.deepEqual(
        left.map(({ id }) => id),
        [young.id],
      )
      assert.equal((await database.rows('read', 'SELECT 1 FROM %.thread_part')).length, 1)
    })

    test('the ledger counts the whole conversation, and reserves for it', async (t) => {
      const database = open()
      const { server, access } = await serve(t, { database })
      const first = await created(server, { messages: [say('word '.repeat(2_000))] })
      const second = await replied(server, continued(first.id))
      assert.ok(second.usage.input_tokens > first.usage.input_tokens)
      await access.close()
      const rows = await database.rows<RequestRow>('read', 'SELECT * FROM %.request ORDER BY started_at, input')
      assert.deepEqual(
        rows.map(({ input, output }) => [input, output]),
        [first, second].map(({ usage }) => [usage.input_tokens, usage.output_tokens]),
      )
    })
  })
}

test('a key whose budget is less than the whole conversation may cost is refused', async (t) => {
  const { server, access } = await serve(t, { database: memory() })
  const { secret } = await access.keys.create({ name: 'poor', budgets: [{ usd: '0.0625', per: 'day' }] })
  const long = { messages: [say('word '.repeat(2_000))], max_tokens: 10 }
  const { id } = await created(server, long, secret)
  assert.equal((await refusedBy(server, continued(id), secret))[0], 429)
})

test('threads need the beta and a store, and batches and counts refuse them', async (t) => {
  const { server } = await serve(t, { database: memory() })
  const create = { ...params, messages: [say('a')], thread: { type: 'create' } }
  const { error } = await errorOf(server, create, 'k', 'files-api-2025-04-14')
  assert.equal(error.message, 'thread: Extra inputs are not permitted')
  const bare = createServer({ engine: offline() })
  const unsupported = { error_code: 'thread_unsupported_request', unsupported: ['thread'] }
  assert.deepEqual((await errorOf(bare, create)).error.details, unsupported)
  const counting = await ask(server, create, { path: '/v1/messages/count_tokens' })
  assert.deepEqual(((await counting.json()) as ErrorBody).error.details, unsupported)
  const shapes: [thread: unknown, message: RegExp][] = [
    [{ type: 'fork' }, /^thread: Input tag 'fork' found using 'type' does not match .* 'create', 'continue'$/],
    [{ type: 'continue' }, /^thread\.continue\.previous_message_id: Field required$/],
    [
      { type: 'continue', previous_message_id: 1 },
      /^thread\.continue\.previous_message_id: Input should be a valid string$/,
    ],
    [{ type: 'create', id: 1 }, /^thread\.create\.id: Extra inputs are not permitted$/],
    ['create', /^thread: Input should be a valid dictionary$/],
  ]
  for (const [thread, message] of shapes)
    assert.match((await errorOf(server, { ...create, thread })).error.message, message)
})

test('a thread with an error in its new messages stays as it was', async (t) => {
  const { server } = await serve(t, { database: memory() })
  const { id } = await created(server)
  const empty = { ...continued(id), messages: [] }
  assert.match((await errorOf(server, empty)).error.message, /^This model does not support assistant message prefill/)
  const wrong = { ...continued(id), messages: 'hello' }
  assert.equal((await errorOf(server, wrong)).error.message, 'messages: Input should be a valid list')
  const orphan = { type: 'tool_result', tool_use_id: 'toolu_1', content: '' }
  const answer = { ...continued(id), messages: [{ role: 'user', content: [orphan] }] }
  assert.match((await errorOf(server, answer)).error.message, /^messages\.2\.content\.0: unexpected `tool_use_id`/)
  await replied(server, continued(id))
})

test('the breakpoints of earlier requests do not count', async (t) => {
  const { server } = await serve(t, { database: memory() })
  const marked = (text: string): object => ({
    role: 'user',
    content: [{ type: 'text', text, cache_control: { type: 'ephemeral' } }],
  })
  let { id } = await created(server, { messages: [marked('0')] })
  for (let turn = 1; turn < 7; turn++)
    ({ id } = await replied(server, { ...continued(id), messages: [marked(`${turn}`)] }))
})

test('a continued thread asks the engine what the whole conversation would', async (t) => {
  const { engine, requests } = recorded(offline())
  const { server } = await serve(t, { database: memory(), engine })
  const text = fc.string({ minLength: 1 }).filter((each) => /\S/.test(each))
  const turns = fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 })
  const property = fc.asyncProperty(turns, async ([first, ...rest]) => {
    const history: MessageParam[] = first!.map(say)
    let reply = await created(server, { messages: history })
    for (const turn of rest) {
      const messages = turn.map(say)
      history.push({ role: 'assistant', content: reply.content as MessageParam['content'] }, ...messages)
      reply = await replied(server, { ...continued(reply.id), messages })
      assert.deepEqual(requests.at(-1)!.messages, history)
    }
  })
  await fc.assert(property, { numRuns: 20 })
})

function memory(): Database {
  return new SqliteDatabase(':memory:', { migrations })
}

interface Served {
  database: Database
  engine?: Engine
  now?: () => number
}

async function serve(
  t: { after: (work: () => Promise<void>) => void },
  { database, engine = offline(), now = Date.now }: Served,
): Promise<{ server: Server; access: StoreAccess }> {
  const store = { database, close: () => database.close() }
  const access = await openAccess({ store, now, keys: ['k', 'l'] })
  const server = createServer({ engine, access, store, now, batches: { concurrency: 0 } })
  t.after(async () => {
    await server.close()
    await access.close().catch(() => {})
    await database.close().catch(() => {})
  })
  return { server, access }
}

/** The engine, and the params of all requests to it. */
function recorded(engine: Engine): { engine: Engine; requests: MessageCreateParams[] } {
  const requests: MessageCreateParams[] = []
  return {
    requests,
    engine: (params, context) => {
      requests.push(structuredClone(params))
      return engine(params, context)
    },
  }
}

/** A `fetch` that keeps the bodies of the requests. */
function spied(server: Server, sent: MessageCreateParams[]): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    sent.push((await request.clone().json()) as MessageCreateParams)
    return server.fetch(request)
  }
}

interface Asking {
  key?: string
  betas?: string
  path?: string
  signal?: AbortSignal
}

function ask(
  server: Server,
  body: object,
  { key = 'k', betas = beta, path = '/v1/messages', signal }: Asking = {},
): Promise<Response> {
  const headers = { 'anthropic-version': '2026-10-21', 'x-api-key': key, 'anthropic-beta': betas }
  return server.fetch(`${baseURL}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
}

async function replied(server: Server, body: object, key = 'k'): Promise<Message> {
  const response = await ask(server, body, { key })
  const text = await response.text()
  assert.equal(response.status, 200, text)
  return JSON.parse(text) as Message
}

function created(server: Server, more: object = {}, key = 'k'): Promise<Message> {
  return replied(server, { ...params, messages: [say('Hello')], thread: { type: 'create' }, ...more }, key)
}

function continued(previous_message_id: string): object {
  return { ...params, messages: [say('More')], thread: { type: 'continue', previous_message_id } }
}

async function errorOf(server: Server, body: object, key = 'k', betas = beta): Promise<ErrorBody & { status: number }> {
  const response = await ask(server, body, { key, betas })
  return { ...((await response.json()) as ErrorBody), status: response.status }
}

async function refusedBy(
  server: Server,
  body: object,
  key = 'k',
): Promise<[status: number, type: string, code: string | undefined]> {
  const { status, error } = await errorOf(server, body, key)
  return [status, error.type, error.details?.error_code]
}
