import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import {
  type Answer,
  faultServer,
  hello,
  inOnePiece,
  params,
  start,
  text,
  textStart,
} from '../request/fault-server.test.ts'
import { BetaFallbackState, betaRefusalFallbackMiddleware } from './refusal-fallback.ts'

const stop_details = { type: 'refusal', category: 'bio', explanation: null, fallback_credit_token: 'credit' }
const refusal = { ...hello, content: [], stop_reason: 'refusal', stop_details }
const refuses = (answer: Answer): void => {
  answer.json(200, refusal)
}
const answers = (answer: Answer): void => {
  answer.json(200, { ...hello, model: 'second' })
}
const refusedEnd = {
  type: 'message_delta',
  delta: { stop_reason: 'refusal', stop_details },
  usage: { output_tokens: 2 },
}

const middleware = [betaRefusalFallbackMiddleware([{ model: 'second' }])]

test('a reply of a fallback begins with the change of the model, also without beta', async (t) => {
  const server = await faultServer(t, refuses, answers)
  const message = await server.client({ middleware }).messages.create(params)
  assert.deepEqual(message.content, [
    {
      type: 'fallback',
      from: { model: params.model },
      to: { model: 'second' },
      trigger: { type: 'refusal', category: 'bio' },
    },
    ...hello.content,
  ])
  const { model, fallback_credit_token } = JSON.parse(server.requests[1]!.body) as Record<string, unknown>
  assert.deepEqual([model, fallback_credit_token], ['second', { token: 'credit', mode: 'best_effort' }])
})

test('other requests pass by', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, { input_tokens: 1 }))
  await server.client({ middleware }).messages.countTokens(params)
  assert.equal(server.requests[0]!.headers['anthropic-beta'], undefined)
})

test('a fallback without a state is told once in the log', async (t) => {
  const server = await faultServer(t, refuses, answers, refuses, answers, refuses, answers)
  const warnings: string[] = []
  const ignore = (): void => {}
  const logger = { error: ignore, warn: (line: string) => warnings.push(line), info: ignore, debug: ignore }
  const client = server.client({ middleware: [betaRefusalFallbackMiddleware([{ model: 'second' }])], logger })
  await client.messages.create(params)
  await client.messages.create(params)
  await client.messages.create(params, { fallbackState: new BetaFallbackState() })
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /pass a fallbackState/)
})

test('what a model streamed before it refused arrives byte for byte', async (t) => {
  const odd = `event: message_start\ndata: {"type":"message_start","message":${JSON.stringify(hello)},"big":9007199254740993}\n\n`
  const server = await faultServer(
    t,
    (answer) => void answer.stream().response.end(odd),
    () => assert.fail('not asked'),
  )
  const seen: string[] = []
  const client = server.client({
    maxRetries: 0,
    middleware: [
      async (request, next) => {
        const response = await next(request)
        seen.push(await response.clone().text())
        return response
      },
      ...middleware,
    ],
  })
  await assert.rejects(client.messages.stream(params).done(), Anthropic.APIStreamError)
  assert.deepEqual(seen, [odd])
})

test('a reader that leaves while a fallback is asked ends its request', { timeout: 120_000 }, async (t) => {
  const server = await faultServer(
    t,
    (answer) => void answer.stream().response.end(inOnePiece(start, textStart, text('Hel'), refusedEnd)),
    () => {},
  )
  const stream = server.client({ middleware }).messages.stream(params)
  for await (const event of stream) {
    if (event.type === 'content_block_start' && event.content_block.type === 'fallback') break
  }
  await server.idle()
})

test('an abort ends the request to a fallback', { timeout: 120_000 }, async (t) => {
  let asked!: () => void
  const second = new Promise<void>((resolve) => (asked = resolve))
  const server = await faultServer(
    t,
    (answer) => void answer.stream().response.end(inOnePiece(start, textStart, text('Hel'), refusedEnd)),
    () => asked(),
  )
  const stream = server.client({ middleware }).messages.stream(params)
  const done = assert.rejects(stream.done(), Anthropic.APIUserAbortError)
  await second
  stream.abort()
  await done
  await server.idle()
})

test('a misspelled state or the fallbacks of the API beside it are an error', async () => {
  const client = new Anthropic({ apiKey: 'key', middleware, fetch: () => assert.fail('nothing is sent') })
  await assert.rejects(
    client.messages.create(params, { fallbackState: { index: 1 } }),
    /its index is 1, and there are 1/,
  )
  const both = { ...params, fallbacks: 'default' } as typeof params
  await assert.rejects(client.messages.create(both), /Cannot use both the fallbacks/)
})
