import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Anthropic } from '../client.ts'
import { faultServer, hello, helloEvents, overloaded, params } from './fault-server.test.ts'
import { rateLimits } from './headers.ts'

const headers = {
  'anthropic-ratelimit-requests-limit': '50',
  'anthropic-ratelimit-requests-remaining': '49',
  'anthropic-ratelimit-requests-reset': '2026-02-25T20:02:37Z',
  'anthropic-ratelimit-input-tokens-remaining': '29000',
  'anthropic-priority-output-tokens-limit': '10',
  'anthropic-ratelimit-unified-5h-reset': '1767225600',
  'anthropic-ratelimit-odd-limit': 'many',
  'anthropic-organization-id': 'org',
}

const reset = new Date('2026-02-25T20:02:37Z')

test('rateLimits() reads every kind of limit, known or unknown', () => {
  assert.deepEqual(rateLimits(new Headers(headers)), {
    requests: { limit: 50, remaining: 49, reset },
    'input-tokens': { limit: undefined, remaining: 29_000, reset: undefined },
    'priority-output-tokens': { limit: 10, remaining: undefined, reset: undefined },
    'unified-5h': { limit: undefined, remaining: undefined, reset: new Date('2026-01-01T00:00:00Z') },
    odd: { limit: undefined, remaining: undefined, reset: undefined },
  })
  assert.deepEqual(rateLimits(undefined), {})
})

test('rateLimits() reads a response, a stream and an error', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.json(200, hello, headers),
    (answer) =>
      answer
        .stream(headers)
        .send(...helloEvents)
        .end(),
    (answer) =>
      answer
        .stream(headers)
        .send(...helloEvents)
        .end(),
    (answer) => answer.json(529, overloaded, headers),
  )
  const client = server.client({ maxRetries: 0 })
  const { data, response, request_id } = await client.messages.create(params).withResponse()
  assert.deepEqual(data, hello)
  assert.equal(request_id, 'req_test')
  assert.deepEqual(rateLimits(response.headers)['requests']?.reset, reset)
  const stream = await client.messages.create({ ...params, stream: true })
  assert.equal(rateLimits(stream.response?.headers)['requests']?.remaining, 49)
  await Array.fromAsync(stream)
  const helper = client.messages.stream(params)
  await helper.done()
  assert.equal(rateLimits(helper.response?.headers)['requests']?.remaining, 49)
  await assert.rejects(client.messages.create(params), (error: Anthropic.APIError) => {
    assert.equal(rateLimits(error.headers)['requests']?.remaining, 49)
    return true
  })
})
