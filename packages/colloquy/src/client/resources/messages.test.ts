import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultServer, hello, helloEvents, params } from '../request/fault-server.test.ts'
import type { Anthropic } from '../client.ts'

test('create() gives the message and the ids of its response', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello, { 'anthropic-workspace-id': 'wrkspc_1' }))
  const message = await server.client().messages.create(params)
  assert.deepEqual(message, hello)
  const ids = message as { _request_id?: string; _workspace_id?: string }
  assert.equal(ids._request_id, 'req_test')
  assert.equal(ids._workspace_id, 'wrkspc_1')
  assert.ok(!Object.keys(message).includes('_request_id'))
})

test('create() sends one request with the headers and body of the API', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  await server.client().messages.create(params)
  assert.equal(server.requests.length, 1)
  const { method, path, headers, body } = server.requests[0]!
  assert.equal(`${method} ${path}`, 'POST /v1/messages')
  assert.deepEqual(JSON.parse(body), params)
  assert.equal(headers['x-api-key'], 'key')
  assert.equal(headers['authorization'], undefined)
  assert.equal(headers['anthropic-version'], '2026-10-21')
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['accept'], 'application/json')
})

test('create({ stream: true }) gives the events in order, without pings', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...helloEvents)
      .end(),
  )
  const stream = await server.client().messages.create({ ...params, stream: true })
  assert.deepEqual(
    await Array.fromAsync(stream),
    helloEvents.filter(({ type }) => type !== 'ping'),
  )
  assert.equal(JSON.parse(server.requests[0]!.body).stream, true)
  assert.equal(stream.request_id, 'req_test')
})

test('stream() gives events, text and the final message', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...helloEvents)
      .end(),
  )
  const stream = server.client().messages.stream(params)
  const texts: [string, string][] = []
  stream.on('text', (delta, snapshot) => texts.push([delta, snapshot]))
  const events: Anthropic.MessageStreamEvent[] = []
  for await (const event of stream) events.push(event)
  assert.equal(events.length, helloEvents.length - 1)
  assert.deepEqual(texts, [
    ['Hel', 'Hel'],
    ['lo!', 'Hello!'],
  ])
  assert.deepEqual(await stream.finalMessage(), hello)
  assert.equal(await stream.finalText(), 'Hello!')
  assert.deepEqual(stream.messages.at(-1), hello)
})
