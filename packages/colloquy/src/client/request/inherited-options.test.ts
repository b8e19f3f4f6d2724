import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import { clientNames } from '../options.ts'
import { faultServer, hello, params } from './fault-server.test.ts'
import { requestNames } from './options.ts'

const prototype: object = Object.getPrototypeOf({})

/** Runs `work` while every object inherits a field, as when a library has a fault that lets input change `Object.prototype`. */
async function withInherited<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  Object.defineProperty(prototype, name, { value: 'inherited', configurable: true, enumerable: true, writable: true })
  try {
    return await work()
  } finally {
    Reflect.deleteProperty(prototype, name)
  }
}

/** The requests of a client for a message, a count, a list and a path. */
async function requestsOf(inherited?: string): Promise<unknown[]> {
  const requests: unknown[] = []
  const responses = [hello, { input_tokens: 1 }, { data: [], has_more: false }, hello].map((body) =>
    Response.json(body),
  )
  const send = async (): Promise<void> => {
    const fetch: typeof globalThis.fetch = async (url, init) => {
      requests.push([url, { ...init, headers: [...(init!.headers as Headers)], signal: undefined }])
      return responses[requests.length - 1]!
    }
    const client = new Anthropic({ apiKey: 'k', authToken: null, fetch }).withOptions({ maxRetries: 0 })
    await client.messages.create(params, { timeout: 1000 })
    await client.messages.countTokens(params, { maxRetries: 1 })
    await client.models.list({}, { timeout: 1000 })
    await client.post('/v1/messages', { body: params })
  }
  await (inherited === undefined ? send() : withInherited(inherited, send))
  return requests
}

test('requests are the same when every object inherits an option', async () => {
  const expected = await requestsOf()
  assert.equal(expected.length, 4)
  // The names of parameters too, which a program may inherit on purpose.
  const parameters = ['betas', 'stream']
  const names = new Set([...clientNames, ...requestNames].filter((name) => !parameters.includes(name)))
  for (const name of names) assert.deepEqual(await requestsOf(name), expected, name)
})

test('requests through a socket are the same when every object inherits a field', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  // The name of an option of sockets, and that of a header.
  for (const name of ['path', 'x-inherited']) {
    const client = server.client({ maxRetries: 0 })
    await client.messages.create(params)
    assert.deepEqual(await withInherited(name, async () => client.messages.create(params)), hello)
  }
  const [first, ...others] = server.requests
  for (const request of others) assert.deepEqual(request, first)
})
