import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '../client/client.ts'
import { accumulate } from '../protocol/codec/accumulate.ts'
import { APIConnectionError, APIUserAbortError } from '../protocol/types/error.ts'
import { apiError } from '../protocol/types/error-response.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { MessageCreateParams } from '../protocol/types/params.ts'
import { offline } from './offline/offline.ts'
import { script } from './script.ts'
import { type UpstreamClient, type UpstreamRequestOptions, upstream } from './upstream.ts'

const params: MessageCreateParams = {
  model: 'claude-opus-5-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Count to 5' }],
}

type Events = AsyncIterable<MessageStreamEvent | PingEvent>

/** The least that is a client: it records the options and answers with the events it is given. */
function client(events: () => Events, asked: UpstreamRequestOptions[] = []): UpstreamClient {
  return {
    messages: {
      create: async (_params, options = {}) => {
        asked.push(options)
        return events()
      },
      countTokens: async (_params, options = {}) => {
        asked.push(options)
        return { input_tokens: 42 }
      },
    },
  }
}

test('upstream() yields the stream unchanged', async () => {
  const direct = await accumulate(script(['1, 2, 3.'])(params))
  const proxied = await accumulate(upstream(client(() => script(['1, 2, 3.'])(params)))(params))
  assert.deepEqual({ ...proxied, id: '' }, { ...direct, id: '' })
})

test('upstream() sends betas and version as headers, and passes the signal', async () => {
  const asked: UpstreamRequestOptions[] = []
  const engine = upstream(client(() => offline()(params), asked))
  const { signal } = new AbortController()
  await accumulate(engine(params, { betas: ['one', 'two'], version: '2023-06-01', signal }))
  assert.deepEqual(asked[0]!.headers, { 'anthropic-beta': 'one,two', 'anthropic-version': '2023-06-01' })
  assert.equal(asked[0]!.signal, signal)
  assert.deepEqual(await engine.countTokens!(params, { version: '2026-10-21' }), { input_tokens: 42 })
  assert.deepEqual(asked[1]!.headers, { 'anthropic-version': '2026-10-21' })
})

test('upstream() throws errors unchanged', async () => {
  const error = apiError('rate_limit_error', 'Slow down', { error_code: 'ramp_limit_exceeded' })
  const failing = upstream({
    messages: { create: () => Promise.reject(error), countTokens: () => Promise.reject(error) },
  })
  await assert.rejects(accumulate(failing(params)), (thrown) => thrown === error)
  await assert.rejects(failing.countTokens!(params), (thrown) => thrown === error)
})

test('upstream() throws if the stream was cut', async () => {
  async function* cut(): Events {
    for await (const event of offline()(params)) {
      if (event.type === 'message_delta') return
      yield event
    }
  }
  await assert.rejects(accumulate(upstream(client(cut))(params)), APIConnectionError)
})

test('upstream() ends at message_stop', async () => {
  async function* trailing(): Events {
    yield* offline()(params)
    throw new Error('the socket broke')
  }
  const message = await accumulate(upstream(client(trailing))(params))
  assert.equal(message.stop_reason, 'end_turn')
})

test('upstream() turns a silent end after an abort into an abort', async () => {
  const controller = new AbortController()
  async function* silent(): Events {
    yield { type: 'ping' }
    controller.abort()
  }
  await assert.rejects(accumulate(upstream(client(silent))(params, { signal: controller.signal })), APIUserAbortError)
})

test('upstream() cancels the stream when its reader stops', async () => {
  let isClosed = false
  async function* endless(): Events {
    try {
      for (;;) yield { type: 'ping' }
    } finally {
      isClosed = true
    }
  }
  const events = upstream(client(endless))(params)[Symbol.asyncIterator]()
  await events.next()
  await events.return?.()
  assert.ok(isClosed)
})

test('upstream() lists the models of its API, over all pages, with the betas of the request', async () => {
  const asked: string[] = []
  const page = (ids: string[], has_more: boolean): Response =>
    Response.json({ data: ids.map((id) => ({ type: 'model', id })), has_more, first_id: ids[0], last_id: ids.at(-1) })
  const fetch = async (url: unknown, { headers }: RequestInit = {}): Promise<Response> => {
    const { searchParams } = new URL(String(url))
    asked.push(`${searchParams.get('after_id')} ${new Headers(headers).get('anthropic-beta')}`)
    return searchParams.has('after_id') ? page(['c'], false) : page(['a', 'b'], true)
  }
  const engine = upstream(new Anthropic({ fetch, apiKey: 'any', maxRetries: 0 }))
  const listed = await engine.listModels!({ betas: ['some-beta'] })
  assert.deepEqual(
    [listed.map(({ id }) => id), asked],
    [
      ['a', 'b', 'c'],
      ['null some-beta', 'b some-beta'],
    ],
  )
  assert.equal(upstream(client(() => script([])(params))).listModels, undefined)
})
