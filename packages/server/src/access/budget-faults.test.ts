// Requests with a budget end in every way: the reservation is settled at the real or the worst cost, and nothing is overspent.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import Anthropic from 'colloquy'
import { type Engine, script, type Step, upstream } from 'colloquy/engines'
import { encodeSse, fromUsd, replay } from 'colloquy/protocol'
import fc from 'fast-check'
import { createServer, type Server } from '../app.ts'
import { openServerStore, type ServerStore } from '../state/server-store.ts'
import { openAccess } from './open-access.ts'

/** Groups of requests. */
const numRuns = process.env['COLLOQUY_FUZZ'] ? 300 : 40
const budgetUsd = '0.02'
const usage = {
  input_tokens: 100,
  output_tokens: 40,
  cache_creation_input_tokens: null,
  cache_read_input_tokens: null,
}
/** 100 × $3 + 40 × $15 for a million tokens. */
const wholeCost = fromUsd('0.0009')
const ask = {
  model: 'claude-sonnet-4-6',
  max_tokens: 60,
  messages: [{ role: 'user', content: 'Count to ten. '.repeat(9) }],
}
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: ask.model,
  content: [{ type: 'text', text: 'one two three four five six seven eight nine ten' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage,
}
const stream = Buffer.from(Array.from(replay(message as never), (event) => encodeSse(event)).join(''))
const failed = encodeSse({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as never)

/** Makes the client of a request leave, by the number of the request. */
const onStall = new Map<number, () => void>()
let requests = 0

/** How a response of the upstream ends, after some of its bytes. */
const endings = ['end', 'destroy', 'error', 'stall', 'garbage'] as const
interface Fault {
  /** The bytes of the stream before the end. */
  bytes: number
  ending: (typeof endings)[number]
  /** The pieces of the response's body after which the client leaves. Undefined: it stays. */
  leavesAfter: number | undefined
  isStream: boolean
}
interface Asked extends Fault {
  stallId: number
}

const anyFault: fc.Arbitrary<Fault> = fc.record({
  bytes: fc.oneof(fc.constant(stream.length), fc.nat(stream.length)),
  ending: fc.constantFrom(...endings),
  leavesAfter: fc.option(fc.nat(2), { nil: undefined, freq: 3 }),
  isStream: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
})

const api = createHttpServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { metadata } = JSON.parse(Buffer.concat(chunks).toString()) as { metadata: { user_id: string } }
    answer(JSON.parse(metadata.user_id) as Asked, response)
  })
}).listen(0, '127.0.0.1')
await once(api, 'listening')
after(() => {
  api.closeAllConnections()
  api.close()
})

function answer({ bytes, ending, isStream, stallId }: Asked, response: ServerResponse): void {
  const all = isStream ? stream : Buffer.from(JSON.stringify(message))
  response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
  response.write(all.subarray(0, isStream ? bytes : Math.min(bytes, all.length)), () => {
    if (ending === 'destroy') return response.destroy()
    if (ending === 'error') response.write(failed)
    if (ending === 'garbage') response.write('data: {"type":\n\n'.repeat(3))
    // The client leaves, so that the test needs no timeout.
    if (ending === 'stall') onStall.get(stallId)?.()
    else response.end()
  })
}

test('the cost of forwarded requests is settled, however they are cut', async () => {
  const { port } = api.address() as AddressInfo
  for (const recover of [undefined, { attempts: 2 }]) {
    const client = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'k', maxRetries: 0 })
    await fc.assert(
      fc.asyncProperty(fc.array(anyFault, { minLength: 1, maxLength: 8 }), async (faults) => {
        const found = await settled(upstream(client, recover && { recover }), (server, secret) =>
          Promise.all(faults.map((fault) => sendFault(server, secret, fault))),
        )
        const whole = faults.filter(isWhole).length
        const paid = found.rows.filter(({ cost }) => BigInt(cost ?? -1) === wholeCost).length
        assert.ok(paid >= whole || found.rows.some(({ status }) => status === 429), `${paid} of ${whole} were paid`)
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    )
  }
})

/** Whether the client must receive the whole reply, whose cost is known. */
function isWhole({ bytes, ending, leavesAfter, isStream }: Fault): boolean {
  return isStream && bytes === stream.length && ending === 'end' && leavesAfter === undefined
}

async function sendFault(server: Server, secret: string, fault: Fault): Promise<void> {
  const leaving = new AbortController()
  const stallId = requests++
  onStall.set(stallId, () => leaving.abort())
  const asked: Asked = { ...fault, stallId }
  const body = { ...ask, stream: fault.isStream, metadata: { user_id: JSON.stringify(asked) } }
  await send(server, secret, body, fault.leavesAfter, leaving)
  onStall.delete(stallId)
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ reply: { content: 'one two three', usage } }),
  fc.record({
    reply: fc.constant({ content: 'one two three four five six', usage }),
    after: fc.nat(8),
    error: fc.constantFrom({ type: 'overloaded_error' as const }, { type: 'api_error' as const }),
  }),
  fc.constant({ error: { type: 'rate_limit_error' as const } }),
)
const anyTurn = fc.record({ step: anyStep, leavesAfter: fc.option(fc.nat(2), { nil: undefined, freq: 3 }) })

test('the cost of requests of a thread is settled, however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyTurn, { minLength: 1, maxLength: 6 }), async (turns) => {
      await settled(script(turns.map(({ step }) => step)), async (server, secret) => {
        let previous: string | undefined
        for (const { leavesAfter } of turns) {
          const thread =
            previous === undefined ? { type: 'create' } : { type: 'continue', previous_message_id: previous }
          const text = await send(server, secret, { ...ask, stream: true, thread }, leavesAfter)
          if (text.includes('message_stop')) previous = /"id":"(msg_[^"]+)"/.exec(text)?.[1] ?? previous
        }
      })
    }),
    { numRuns },
  )
})

test('a thread reserves its whole history, and is refused when that does not fit', async () => {
  const long = 'word '.repeat(400)
  let asked = 0
  const counted: Engine = (params, context) => {
    asked++
    return script([{ reply: { content: 'ok', usage: { ...usage, input_tokens: 1_500 } } }])(params, context)
  }
  await settled(counted, async (server, secret) => {
    const first = { ...ask, messages: [{ role: 'user', content: long }], thread: { type: 'create' } }
    const created = JSON.parse(await send(server, secret, first)) as { id: string }
    // Alone it would fit into the budget.
    const second = {
      ...ask,
      messages: [{ role: 'user', content: 'And more.' }],
      max_tokens: 200,
      thread: { type: 'continue', previous_message_id: created.id },
    }
    assert.match(await send(server, secret, second), /enforced_spend_limit_reached/)
  })
  assert.equal(asked, 1)
})

/** An engine that forwards to an upstream that refuses every request, and counts them. */
function refusing(): Engine & { asked: number } {
  const engine = Object.assign(script([]), {
    asked: 0,
    forward: () => {
      engine.asked++
      return Promise.reject(Anthropic.APIError.generate(400, { type: 'error' }, 'bad', new Headers()))
    },
  })
  return engine
}

test('a forwarded request of a wrong form reaches the upstream, also with a budget', async () => {
  const engine = refusing()
  const odd = [
    { model: ask.model, messages: ask.messages, thinking: 'no max_tokens' },
    { ...ask, messages: [{ role: 'user', content: 5 }] },
    { ...ask, messages: [{ role: 'user' }] },
    { ...ask, messages: [{ content: [null, 'x', { type: 'image' }, { type: 'tool_result', content: 7 }] }] },
    { ...ask, messages: undefined },
    { ...ask, system: 7 },
    { ...ask, tools: [{}, { type: 'web_search_20250305', max_uses: -1e9 }] },
    { ...ask, tools: null },
  ]
  const padding = 'x'.repeat(20_000)
  // They cost nothing, but the longest output of the model is reserved for the first.
  for (const body of odd)
    for (const more of [{}, { padding }])
      await settled(
        engine,
        async (server, secret) => {
          const text = await send(server, secret, { ...body, ...more })
          assert.doesNotMatch(text, /api_error|Internal/, `${JSON.stringify(body)}: ${text}`)
        },
        '10',
      )
  assert.equal(engine.asked, 2 * odd.length)
})

test('a forwarded request reserves a context window if its prompt is elsewhere', async () => {
  const document = (source: object): object => ({ role: 'user', content: [{ type: 'document', source }] })
  const elsewhere = [
    { ...ask, thread: { type: 'continue', previous_message_id: 'msg_1' } },
    { ...ask, messages: [document({ type: 'file', file_id: 'file_1' })] },
    { ...ask, messages: [document({ type: 'url', url: 'https://example.com/a.pdf' })] },
    {
      ...ask,
      messages: [{ role: 'user', content: [{ type: 'tool_result', content: [{ type: 'container_upload' }] }] }],
    },
    { ...ask, max_tokens: 1e300 },
  ]
  const engine = refusing()
  await settled(engine, async (server, secret) => {
    for (const body of elsewhere)
      assert.match(await send(server, secret, body), /enforced_spend_limit_reached/, JSON.stringify(body))
  })
  assert.equal(engine.asked, 0)
})

interface Found {
  rows: { id: string; cost: string | null; status: number }[]
  spent: bigint
}

/** Does the work on a server whose key has a budget, and checks its account and its ledger when everything has ended. */
async function settled(
  engine: Engine,
  work: (server: Server, secret: string) => Promise<unknown>,
  usd = budgetUsd,
): Promise<Found> {
  const store = await openServerStore(':memory:')
  const access = await openAccess({ store, flushMs: 5 })
  const { secret } = await access.keys.create({ name: 'ada', budgets: [{ usd, per: 'total' }] })
  const server = createServer({ engine, access, store, lenient: true, pingMs: 20 })
  await work(server, secret)
  await server.close()
  await idle(store)
  await access.close()
  const rows = await read<Found['rows'][number]>(store, 'SELECT id, cost, status FROM %.request')
  const accounts = await read<{ spent: number; reserved: number }>(store, 'SELECT spent, reserved FROM %.account')
  const spent = accounts.reduce((sum, account) => sum + BigInt(account.spent), 0n)
  assert.deepEqual(await read(store, 'SELECT * FROM %.reservation'), [])
  assert.ok(
    accounts.every(({ reserved }) => reserved === 0),
    JSON.stringify(accounts),
  )
  assert.equal(
    spent,
    rows.reduce((sum, { cost }) => sum + BigInt(cost ?? 0), 0n),
  )
  assert.ok(spent <= fromUsd(usd), `${spent} were spent of $${usd}`)
  await store.close()
  return { rows, spent }
}

/** Waits until the server has settled the requests of clients that left. */
async function idle(store: ServerStore): Promise<void> {
  for (;;) {
    const [{ flights } = { flights: 1 }] = await read<{ flights: number }>(
      store,
      'SELECT count(*) AS flights FROM %.in_flight',
    )
    if (flights === 0) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function read<Row>(store: ServerStore, sql: string): Promise<Row[]> {
  return store.database.rows<Row>('read', sql)
}

/** The text of the response, or of its first pieces if the client leaves after them. */
async function send(
  server: Server,
  secret: string,
  body: object,
  leavesAfter?: number,
  leaving: AbortController = new AbortController(),
): Promise<string> {
  const response = await server.fetch('http://test/v1/messages', {
    method: 'POST',
    headers: {
      'x-api-key': secret,
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'message-threads-2026-08-12',
    },
    body: JSON.stringify(body),
    signal: leaving.signal,
  })
  if (leavesAfter === undefined || !response.body) return response.text().catch(() => '')
  const reader = response.body.getReader()
  for (let piece = 0; piece < leavesAfter; piece++) await reader.read().catch(() => {})
  leaving.abort()
  await reader.cancel().catch(() => {})
  return ''
}
