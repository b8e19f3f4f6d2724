import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type Engine, offline, script } from 'colloquy/engines'
import type { Message, MessageParam, Usage } from 'colloquy/protocol'
import fc from 'fast-check'
import { policies } from '../../../../../bench/cache/policies.ts'
import { simulate } from '../../../../../bench/cache/simulator.ts'
import { databasePlaces } from '../../../../../test/databases.ts'
import { openAccess } from '../../access/open-access.ts'
import { createServer, type Server, type ServerOptions } from '../../app.ts'
import type { Database } from '../../state/database.ts'
import { migrations } from '../../state/migrations.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-cache-'))
after(() => rmSync(folder, { recursive: true }))

const model = 'claude-opus-5-5'
const ephemeral = { type: 'ephemeral' }
const hour = { type: 'ephemeral', ttl: '1h' }
const places: Record<string, (() => Database) | undefined> = { memory: undefined }
for (const [name, makePlace] of Object.entries(databasePlaces())) places[name] = () => makePlace(folder)(migrations)

/** A text of so many tokens by the estimate of this library. */
function words(tokens: number, word = 'a'): string {
  return Array.from({ length: tokens }, () => word).join(' ')
}

for (const [name, open] of Object.entries(places)) {
  describe(`cache accounting in ${name}`, () => {
    test('the counts are those of the prompt cache of the offline engine', async (t) => {
      const text = fc.constantFrom('a', 'b', 'c').map((word) => words(400, word))
      const conversation = fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { minLength: 3, maxLength: 9 })
      const request = fc.record({
        pauseMs: fc.constantFrom(0, 1_000, 1_000, 299_000, 301_000, 3_601_000),
        effort: fc.constantFrom('high', 'high', 'high', 'low'),
        automatic: fc.constantFrom(null, ephemeral),
        length: fc.nat(4),
        marks: fc.array(fc.tuple(fc.nat(8), fc.constantFrom(ephemeral, ephemeral, hour)), { maxLength: 3 }),
      })
      let now = Date.UTC(2026, 10, 26)
      const accounted = await serve(t, { engine: bare(), now: () => now, open })
      const own = createServer({ engine: offline({ clock: { now: () => now, wait: async () => {} } }) })
      const requests = fc.array(request, { minLength: 3, maxLength: 8 })
      const property = fc.asyncProperty(conversation, requests, async (contents, asked) => {
        // After this time nothing of an earlier conversation is left.
        now += 4_000_000
        for (const { pauseMs, effort, automatic, length, marks } of asked) {
          now += pauseMs
          // The beginning of the conversation, up to a message of the user, with a mark at the end of some messages.
          const messages = contents.slice(0, length * 2 + 1).map((texts, index) => {
            const content: object[] = texts.map((each) => ({ type: 'text', text: each }))
            const mark = marks.find(([at]) => at === index)
            if (mark) content[content.length - 1] = { ...content.at(-1), cache_control: mark[1] }
            return { role: index % 2 ? 'assistant' : 'user', content }
          })
          if (messages.length % 2 === 0) messages.pop()
          const body = { messages, output_config: { effort }, cache_control: automatic }
          assert.deepEqual(await ask(accounted, body), await ask(own, body))
        }
      })
      await fc.assert(property, { numRuns: open ? 12 : 20 })
    })

    test('both lifetimes, a change of the tools, and time', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const server = await serve(t, { engine: bare(), now: () => now, open })
      const tool = { name: 'f', input_schema: { type: 'object' } }
      const body = {
        tools: [tool],
        system: [{ type: 'text', text: words(1_000), cache_control: hour }],
        messages: [{ role: 'user', content: [{ type: 'text', text: words(600), cache_control: ephemeral }] }],
      }
      const first = (await ask(server, body))!
      const long = first.cache_creation!.ephemeral_1h_input_tokens
      const short = 604
      assert.deepEqual(bucketsOf(first), [0, 0, long, short])
      assert.ok(long > 1_300)
      assert.deepEqual(bucketsOf((await ask(server, body))!), [0, long + short, 0, 0])
      const again = { ...body, tools: [{ ...tool, description: 'd' }] }
      assert.equal((await ask(server, again))!.cache_read_input_tokens, 0)
      now += 301_000
      assert.deepEqual(bucketsOf((await ask(server, body))!), [0, long, 0, short])
      now += 3_601_000
      assert.deepEqual(bucketsOf((await ask(server, body))!), [0, 0, long, short])
      const tiny = { messages: [{ role: 'user', content: words(100) }], cache_control: ephemeral }
      assert.deepEqual(bucketsOf((await ask(server, tiny))!), [104, 0, 0, 0])
    })

    test('nothing is left of an entry that has expired', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const server = await serve(t, { engine: bare(), now: () => now, open })
      const messages = [{ role: 'user', content: words(600) }]
      assert.deepEqual(bucketsOf((await ask(server, { messages, cache_control: hour }))!), [0, 0, 604, 0])
      now += 3_600_000
      assert.deepEqual(bucketsOf((await ask(server, { messages, cache_control: ephemeral }))!), [0, 0, 0, 604])
      now += 300_000
      assert.deepEqual(bucketsOf((await ask(server, { messages, cache_control: ephemeral }))!), [0, 0, 0, 604])
    })

    test('a read renews an entry, and a prompt that grows from it writes the rest', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const server = await serve(t, { engine: bare(), now: () => now, open })
      const body = { messages: [{ role: 'user', content: words(600) }], cache_control: ephemeral }
      assert.deepEqual(bucketsOf((await ask(server, body))!), [0, 0, 0, 604])
      for (let read = 0; read < 3; read++) {
        now += 299_000
        assert.deepEqual(bucketsOf((await ask(server, body))!), [0, 604, 0, 0])
      }
      const marked = { role: 'user', content: [{ type: 'text', text: words(600), cache_control: ephemeral }] }
      const grown = { ...body, messages: [marked, ...body.messages] }
      assert.deepEqual(bucketsOf((await ask(server, grown))!), [0, 604, 0, 604])
      assert.deepEqual(bucketsOf((await ask(server, grown))!), [0, 1_208, 0, 0])
    })

    test('the cost of a conversation is that of the simulation of the planner', async (t) => {
      const turns = [
        { gapMs: 0, newTokens: 1_000 },
        { gapMs: 60_000, newTokens: 700 },
        { gapMs: 400_000, newTokens: 900 },
        { gapMs: 60_000, newTokens: 500 },
        { gapMs: 4_000_000, newTokens: 800 },
      ]
      for (const [policy, mark] of [
        ['automatic, 5 minutes', ephemeral],
        ['automatic, 1 hour', hour],
        ['no caching', null],
      ] as const) {
        let now = Date.UTC(2026, 10, 26)
        const server = await serve(t, { engine: bare(), now: () => now, open })
        const messages: MessageParam[] = []
        let cost = 0
        for (const { gapMs, newTokens } of turns) {
          now += gapMs
          // Each message takes four tokens besides its text, and the reply before it one and four.
          messages.push({ role: 'user', content: words(newTokens - (messages.length > 0 ? 9 : 4)) })
          const [input, read, written1h, written5m] = bucketsOf((await ask(server, { messages, cache_control: mark }))!)
          cost += input + 0.1 * read + 2 * written1h + 1.25 * written5m
          messages.push({ role: 'assistant', content: 'ok' })
        }
        const population = { kind: 'chat' as const, sharedTokens: 0, talks: [{ startMs: 0, turns }] }
        assert.ok(Math.abs(cost - simulate(population, policies[policy]!, 0.1)) < 1e-6, `${policy}: ${cost}`)
      }
    })
  })
}

describe('cache accounting', () => {
  test('servers on one database share it, and workspaces do not', async (t) => {
    const database = places['SQLite']!()
    const store = { database, close: () => database.close() }
    const access = await openAccess({ store })
    t.after(async () => {
      await access.close()
      await database.close()
    })
    const servers = [1, 2].map(() =>
      createServer({ engine: bare(), access, store, cacheAccounting: true, batches: { concurrency: 0 } }),
    )
    const [ada, bob, eve] = await Promise.all(
      ['a', 'a', 'e'].map(async (workspace, index) => {
        return (await access.keys.create({ name: `key-${index}`, workspace })).secret
      }),
    )
    const body = { messages: [{ role: 'user', content: words(600) }], cache_control: ephemeral }
    const read = async (server: Server, key: string): Promise<number> =>
      (await ask(server, body, key))!.cache_read_input_tokens!
    assert.equal(await read(servers[0]!, ada!), 0)
    assert.equal(await read(servers[1]!, bob!), 604)
    assert.equal(await read(servers[1]!, eve!), 0)
  })

  test('the tokens are those that the engine has counted, in a stream too', async (t) => {
    const usage = { input_tokens: 1_208, output_tokens: 3 }
    const engine = script([{ reply: { content: 'ok', usage }, times: 9 } as never])
    const server = await serve(t, { engine, now: Date.now, open: undefined })
    const body = { messages: [{ role: 'user', content: words(600) }], cache_control: ephemeral }
    assert.deepEqual(bucketsOf((await ask(server, body))!), [0, 0, 0, 1_208])
    const streamed = await post(server, { ...body, stream: true })
    const text = await streamed.text()
    assert.match(text, /"input_tokens":0,[^}]*"cache_read_input_tokens":1208/)
  })

  test('parallel requests all write, as none was answered before', async (t) => {
    const server = await serve(t, { engine: bare(), now: Date.now, open: undefined })
    const body = { messages: [{ role: 'user', content: words(600) }], cache_control: ephemeral }
    const found = await Promise.all([ask(server, body), ask(server, body)])
    assert.deepEqual(
      found.map((usage) => usage!.cache_creation_input_tokens),
      [604, 604],
    )
  })

  test('a database that is gone costs the counts, not the reply', async (t) => {
    const database = places['SQLite']!()
    const store = { database, close: () => database.close() }
    const server = createServer({ engine: bare(), store, cacheAccounting: true, batches: { concurrency: 0 } })
    t.after(() => server.close())
    await database.close()
    const body = { messages: [{ role: 'user', content: words(600) }], cache_control: ephemeral }
    assert.deepEqual(bucketsOf((await ask(server, body))!), [0, 0, 0, 604])
  })
})

/** The offline engine without its cache. */
function bare(): Engine {
  const engine = offline()
  return (params, context) => {
    const { cache_control: _, ...rest } = params
    const strip = (blocks: unknown): unknown =>
      Array.isArray(blocks) ? blocks.map((block: object) => ({ ...block, cache_control: null })) : blocks
    const messages = params.messages.map((message) => ({ ...message, content: strip(message.content) }))
    return engine({ ...rest, system: strip(params.system), messages } as never, context)
  }
}

interface Serving extends Pick<ServerOptions, 'engine'> {
  now: () => number
  open: (() => Database) | undefined
}

async function serve(
  t: { after: (work: () => Promise<void>) => void },
  { engine, now, open }: Serving,
): Promise<Server> {
  const database = open?.()
  const store = database && { database, close: () => database.close() }
  const server = createServer({
    engine,
    now,
    cacheAccounting: true,
    batches: { concurrency: 0 },
    ...(store && { store }),
  })
  t.after(async () => {
    await server.close()
    await database?.close()
  })
  return server
}

function post(server: Server, body: object, key = 'k'): Promise<Response> {
  return server.fetch('http://colloquy.test/v1/messages', {
    method: 'POST',
    headers: { 'anthropic-version': '2026-10-21', 'x-api-key': key },
    body: JSON.stringify({ model, max_tokens: 5, ...body }),
  })
}

/** The usage of the reply; undefined if the request is refused, as for too many breakpoints. */
async function ask(server: Server, body: object, key?: string): Promise<Usage | undefined> {
  const response = await post(server, body, key)
  const text = await response.text()
  assert.ok(response.status === 200 || response.status === 400, text)
  return response.status === 200 ? (JSON.parse(text) as Message).usage : undefined
}

/** The tokens of the prompt: not cached, read, written for an hour, written for five minutes. */
function bucketsOf({ input_tokens, cache_read_input_tokens, cache_creation }: Usage): [number, number, number, number] {
  const { ephemeral_1h_input_tokens: long, ephemeral_5m_input_tokens: short } = cache_creation!
  return [input_tokens, cache_read_input_tokens!, long, short]
}
