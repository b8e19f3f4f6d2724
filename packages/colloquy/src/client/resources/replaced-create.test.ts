// Tracers put a proxy around the client or its resources, or a function of their own in the place of `create()`.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { jsonSchemaOutputFormat, tool } from '../../tools/index.ts'
import { until } from '../../../../../test/until.ts'
import { Anthropic } from '../client.ts'
import type { APIPromise } from '../request/api-promise.ts'
import { faultServer, hello, helloEvents, params } from '../request/fault-server.test.ts'
import { Stream } from '../stream/stream.ts'
import { BetaMessages } from './beta.ts'
import { Messages } from './messages.ts'

type Create = (params: Anthropic.MessageCreateParams, options?: Anthropic.RequestOptions) => Promise<unknown>

/** A client of a server that greets. */
async function greeted(t: TestContext): Promise<Anthropic> {
  const server = await faultServer(t, (answer) => {
    const { path, body } = answer.request
    if (path.startsWith('/v1/models')) return answer.json(200, { data: [], has_more: false })
    if (path.endsWith('/count_tokens')) return answer.json(200, { input_tokens: 3 })
    if (!body.includes('"stream":true')) return answer.json(200, hello)
    answer
      .stream()
      .send(...helloEvents)
      .end()
  })
  return server.client()
}

const format = { ...jsonSchemaOutputFormat({ type: 'object', properties: {} }), parse: (text: string) => text }
const greet = tool({ name: 'greet', description: 'Greets.', inputSchema: { type: 'object' }, run: () => 'Hello!' })

const { model, max_tokens, messages } = params
const request = { model, max_tokens, messages }

/** Each way to a reply. All of them call `create()` once. */
const replies: Record<string, (messages: BetaMessages) => PromiseLike<unknown>> = {
  create: async (messages) => textOf(await messages.create(params)),
  'create as a stream': async (messages) => textIn(await messages.create({ ...params, stream: true })),
  parse: async (messages) => (await messages.parse({ ...params, output_config: { format } })).parsed_output,
  stream: (messages) => messages.stream(params).finalText(),
  'a loop over stream': (messages) => textIn(messages.stream(params)),
  'stream with a format': async (messages) =>
    (await messages.stream({ ...params, output_config: { format } }).finalMessage()).parsed_output,
  toolRunner: async (messages) => textOf(await messages.toolRunner({ ...request, tools: [greet] })),
  'toolRunner as streams': async (messages) =>
    textOf(await messages.toolRunner({ ...request, tools: [greet], stream: true })),
  thread: async (messages) => textOf(await messages.thread({ ...request, messages: [] }).send(params.messages)),
  'thread as a stream': (messages) =>
    messages
      .thread({ ...request, messages: [] })
      .stream(params.messages)
      .finalText(),
}

function textOf({ content }: Pick<Anthropic.Message, 'content'>): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

async function textIn(events: AsyncIterable<Anthropic.MessageStreamEvent>): Promise<string> {
  let text = ''
  for await (const event of events)
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
  return text
}

/** Ways to put something around `create()`: each calls `seen` once for each call, and passes it on. */
const wrappers: Record<string, (client: Anthropic, seen: () => void, t: TestContext) => BetaMessages> = {
  'a function on the object': ({ beta: { messages } }, seen) => {
    const create = messages.create.bind(messages) as Create
    return Object.assign(messages, { create: (...given: Parameters<Create>) => (seen(), create(...given)) })
  },
  'a function that returns an ordinary promise': ({ beta: { messages } }, seen) => {
    const create = messages.create.bind(messages) as Create
    return Object.assign(messages, { create: async (...given: Parameters<Create>) => (seen(), create(...given)) })
  },
  'a function that changes the result': ({ beta: { messages } }, seen) => {
    const create = messages.create.bind(messages)
    const changed = (request: Anthropic.MessageCreateParams): unknown =>
      create(request)._thenUnwrap((result) => (seen(), result instanceof Stream ? result.tee()[0] : result))
    return Object.assign(messages, { create: changed })
  },
  'a stream with another iterator, which counts at its end': ({ beta: { messages } }, seen) => {
    const create = messages.create.bind(messages) as Create
    return Object.assign(messages, {
      create: async (...given: Parameters<Create>) => {
        const result = await create(...given)
        if (!(result instanceof Stream)) return (seen(), result)
        const iterator = result[Symbol.asyncIterator]()
        return Object.assign(result, { [Symbol.asyncIterator]: () => countedAtEnd(iterator, seen) })
      },
    })
  },
  'functions on both prototypes': ({ beta }, seen, t) => {
    for (const { prototype } of [Messages, BetaMessages]) {
      const { create } = prototype
      t.mock.method(prototype, 'create', function (this: Messages, ...given: Parameters<Create>): unknown {
        seen()
        return Reflect.apply(create, this, given)
      })
    }
    return beta.messages
  },
  'a subclass': (client, seen) => {
    class Traced extends BetaMessages {
      override create(...given: [never]): never {
        seen()
        return super.create(...given) as never
      }
    }
    return new Traced(client)
  },
  'a proxy': ({ beta }, seen) =>
    new Proxy(beta.messages, {
      get: (target, key, receiver) => (key === 'create' && seen(), Reflect.get(target, key, receiver) as unknown),
    }),
}

function countedAtEnd(iterator: AsyncIterator<unknown>, seen: () => void): AsyncIterator<unknown> {
  const next = async (): Promise<IteratorResult<unknown>> => {
    const result = await iterator.next()
    if (result.done) seen()
    return result
  }
  return { next, return: async () => iterator.return!() }
}

for (const [wrapper, wrap] of Object.entries(wrappers)) {
  test(`create() is called once for each reply through ${wrapper}`, async (t) => {
    const client = await greeted(t)
    let calls = 0
    const messages = wrap(client, () => calls++, t)
    for (const [name, reply] of Object.entries(replies)) {
      calls = 0
      assert.equal(await reply(messages), 'Hello!', name)
      assert.equal(calls, 1, name)
    }
  })
}

test('every method of a resource works through a proxy of it', async (t) => {
  const client = await greeted(t)
  const proxied = <Target extends object>(target: Target): Target => new Proxy(target, {})
  const { models, messages, files, beta } = client
  assert.deepEqual((await proxied(models).list()).data, [])
  assert.equal((await proxied(messages).countTokens(params)).input_tokens, 3)
  assert.equal((await proxied(messages.batches).retrieve('hello')).id, hello.id)
  assert.equal((await proxied(files).retrieveMetadata('hello')).id, hello.id)
  assert.equal(textOf(await proxied(beta).messages.create(params)), 'Hello!')
})

test('every method of a resource works in a copy of it, as LangSmith makes it', async (t) => {
  const { models, messages, beta } = await greeted(t)
  const copied = <Target extends object>(target: Target): Target =>
    Object.assign(Object.create(Object.getPrototypeOf(target)) as Target, target)
  assert.deepEqual((await copied(models).list()).data, [])
  assert.equal((await copied(messages).countTokens(params)).input_tokens, 3)
  for (const [name, reply] of Object.entries(replies)) assert.equal(await reply(copied(beta.messages)), 'Hello!', name)
})

test('an object that inherits from a promise works like it, as LangSmith makes one', async (t) => {
  const { messages } = await greeted(t)
  const derived = (): APIPromise<Anthropic.Message> =>
    Object.create(messages.create(params)) as APIPromise<Anthropic.Message>
  assert.equal(textOf(await derived()), 'Hello!')
  assert.equal((await derived().withResponse()).request_id, 'req_test')
  assert.equal((await derived().asResponse()).status, 200)
  assert.equal(await derived()._thenUnwrap(textOf), 'Hello!')
  const cancelled = derived()
  cancelled.cancel(new Anthropic.APIUserAbortError())
  await assert.rejects(cancelled, Anthropic.APIUserAbortError)
})

test('a stream of a replaced create() has its response, and abort() ends its request', async (t) => {
  const client = await greeted(t)
  const { messages } = client
  const create = messages.create.bind(messages) as Create
  Object.assign(messages, { create: (...given: Parameters<Create>) => create(...given) })
  const { request_id, data } = await messages.stream(params).withResponse()
  assert.equal(request_id, 'req_test')
  data.abort()
  await assert.rejects(data.done(), Anthropic.APIUserAbortError)
})

/** Begins a reply. Returns how to end its request, and the promise that this rejects. */
const endings: Record<string, (messages: Messages) => { end: () => void; done: () => Promise<unknown> }> = {
  'abort() of a stream': (messages) => {
    const stream = messages.stream(params)
    return { end: () => stream.abort(), done: () => stream.done() }
  },
  'cancel() of parse()': (messages) => {
    const reply = messages.parse(params)
    return { end: () => reply.cancel(new Anthropic.APIUserAbortError()), done: async () => reply }
  },
}

for (const [name, begin] of Object.entries(endings))
  test(`${name} ends the request of a replaced create()`, async (t) => {
    const server = await faultServer(t, () => {})
    for (const isLate of [false, true]) {
      const { messages } = server.client()
      const create = messages.create.bind(messages) as Create
      const traced = async (...given: Parameters<Create>): Promise<unknown> => {
        if (isLate) await new Promise(setImmediate)
        return create(given[0], { ...given[1] })
      }
      const { end, done } = begin(Object.assign<Messages, object>(messages, { create: traced }))
      if (!isLate) await until(() => server.requests.length === 1)
      end()
      await assert.rejects(done(), Anthropic.APIUserAbortError)
      await server.idle()
    }
    assert.equal(server.requests.length, 1)
  })

test('the failure of a replaced create() is the failure of the stream', async (t) => {
  const { messages } = await greeted(t)
  Object.assign(messages, { create: async () => Promise.reject(new Anthropic.AnthropicError('refused')) })
  await assert.rejects(messages.stream(params).finalMessage(), /refused/)
  await assert.rejects(messages.parse(params), /refused/)
})

test('a client is printed without its secrets', () => {
  const client = new Anthropic({ apiKey: 'secret-key', fetchOptions: { headers: { a: 'secret-header' } } })
  assert.doesNotMatch(JSON.stringify(client) + inspect(client, { depth: 9 }), /secret/)
})
