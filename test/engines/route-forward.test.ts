// A server that passes bytes on to one of several upstreams.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type AccessEntry, createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import Anthropic from 'colloquy'
import { type Engine, type RouteOptions, type ScriptEngine, type Step, route, script, upstream } from 'colloquy/engines'

/** A server of the API that plays a script, and an engine that forwards to it. */
async function upstreamOf(...steps: Step[]): Promise<{ engine: Engine; asked: ScriptEngine }> {
  const asked = script(steps)
  const { url, close } = await listen(createServer({ engine: asked, lenient: true }), { port: 0 })
  after(() => close({ graceMs: 0 }))
  return { engine: upstream(new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 })), asked }
}

interface Front {
  post(body: object): Promise<Response>
  log: AccessEntry[]
}

function frontOf(options: RouteOptions): Front {
  const log: AccessEntry[] = []
  const engine = route(options)
  assert.ok(engine.forward)
  const { fetch } = createServer({ engine, log: (entry) => log.push(entry) })
  const headers = { 'anthropic-version': '2023-06-01' }
  return {
    log,
    post: (body) =>
      fetch('http://front.test/v1/messages', {
        method: 'POST',
        headers,
        body: JSON.stringify({ ...request, ...body }),
      }),
  }
}

const request = { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] }
const refusal: Step = { reply: { content: '', stop_reason: 'refusal' } }

for (const stream of [false, true]) {
  const form = stream ? 'a stream' : 'a body'
  test(`route() forwards ${form} to the next upstream when the first is overloaded`, async () => {
    const busy = await upstreamOf({ error: { type: 'overloaded_error' }, times: 5 })
    const good = await upstreamOf({ reply: 'From the second.', times: 5 })
    const { post, log } = frontOf({
      engines: { busy: busy.engine, good: good.engine },
      routes: { '*': { to: ['busy', 'good'], maxConcurrent: 1, firstEventTimeoutMs: 10_000 } },
    })
    for (let index = 0; index < 2; index++) {
      const response = await post({ stream, a_field_of_tomorrow: 1 })
      assert.equal(response.status, 200)
      assert.match(await response.text(), stream ? /event: message_stop/ : /"From the second\."/)
    }
    assert.equal((good.asked.requests[0]!.params as { a_field_of_tomorrow?: number }).a_field_of_tomorrow, 1)
    assert.deepEqual(
      log.map(({ attempts }) =>
        attempts.map(({ engine, error }) => `${engine}${error === undefined ? '' : ' failed'}`),
      ),
      [['busy failed', 'good'], ['good']],
    )
  })

  test(`route() forwards ${form} of another upstream when a model refuses, and the refusal if none replies`, async () => {
    const refuses = await upstreamOf({ ...refusal, times: 5 })
    const good = await upstreamOf({ reply: 'Certainly.' }, { error: { type: 'api_error' }, times: 5 })
    const { post, log } = frontOf({
      engines: { refuses: refuses.engine, good: good.engine },
      routes: { '*': ['refuses', 'good'] },
    })
    assert.match(await (await post({ stream })).text(), /Certainly\./)
    assert.ok(log[0]!.attempts[0]!.usage!.input_tokens > 0)
    assert.match(await (await post({ stream })).text(), /"stop_reason": ?"refusal"/)
  })
}

test('route() answers the error of its upstreams when none replies, and frees its place', async () => {
  const busy = await upstreamOf(
    { error: { type: 'rate_limit_error', headers: { 'retry-after': '9' } } },
    { reply: 'Hi' },
  )
  const broken = await upstreamOf({ error: { type: 'api_error' }, times: 5 })
  const { post } = frontOf({
    engines: { busy: busy.engine, broken: broken.engine },
    routes: { 'claude-*': { to: ['busy', 'broken'], maxConcurrent: 1 }, 'other-*': { to: 'busy', maxConcurrent: 1 } },
  })
  for (const message of [/: busy: 429 .*; broken: 500 /, /: broken: 500 .*; busy: cools down for 9 s: 429 /]) {
    const response = await post({ stream: true })
    const { error } = (await response.json()) as { error: { message: string } }
    assert.deepEqual([response.status, response.headers.get('retry-after')], [529, '9'])
    assert.match(error.message, /^Cannot answer claude-opus-5-5 by the route claude-\*/)
    assert.match(error.message, message)
  }
})

test('route() frees the place of a stream that its client leaves', async () => {
  const slow = await upstreamOf({ reply: 'Hello there, how are you?', eventDelayMs: 50, times: 5 })
  const { post, log } = frontOf({ engines: { slow: slow.engine }, routes: { '*': { to: 'slow', maxConcurrent: 1 } } })
  const response = await post({ stream: true })
  assert.equal((await post({ stream: true })).status, 529)
  await response.body!.cancel()
  while (log.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  const next = await post({ stream: true })
  assert.equal(next.status, 200)
  await next.body!.cancel()
})

test('route() does not forward when an engine needs another form or another name', async () => {
  const { engine } = await upstreamOf()
  assert.equal(
    route({ engines: { engine, other: script([]) }, routes: { '*': ['engine', 'other'] } }).forward,
    undefined,
  )
  assert.equal(
    route({ engines: { engine }, routes: { '*': { to: { engine: 'engine', model: 'x' } } } }).forward,
    undefined,
  )
})

test('a body without messages is refused by the upstream, not by the route', async () => {
  const { engine } = await upstreamOf()
  const { post } = frontOf({ engines: { keys: [engine, engine] }, routes: { '*': 'keys' } })
  for (const messages of [undefined, null, 5, [null], [{ content: [null] }]]) {
    const response = await post({ messages })
    assert.equal(response.status, 400, JSON.stringify(messages))
  }
})

test('a proxy lists the models of its upstream, and passes on its error', async () => {
  const inner = route({ engines: { own: script([]) }, routes: { 'my-model': 'own' } })
  const proxied = async (engine: Engine): Promise<Response> =>
    createServer({ engine }).fetch('http://front.test/v1/models', { headers: { 'anthropic-version': '2023-06-01' } })
  const { fetch } = createServer({ engine: inner })
  const client = new Anthropic({ fetch, baseURL: 'http://inner.test', apiKey: 'any' })
  const { data } = (await (await proxied(upstream(client))).json()) as { data: { id: string }[] }
  assert.deepEqual(
    data.map(({ id }) => id),
    ['my-model'],
  )
  const refused = new Anthropic({
    fetch: async () =>
      Response.json({ error: { type: 'authentication_error', message: 'invalid x-api-key' } }, { status: 401 }),
    apiKey: 'any',
  })
  assert.equal((await proxied(upstream(refused))).status, 401)
})
