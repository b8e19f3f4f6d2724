import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import {
  endTurn,
  faultServer,
  hello,
  helloEvents,
  inOnePiece,
  overloaded,
  params,
  start,
  stop,
  text,
  textStart,
  textStop,
  type Answer,
} from '../request/fault-server.test.ts'
import type { MessageStreamEvents } from './listeners.ts'

function says(answer: Answer): void {
  answer
    .stream()
    .send(...helloEvents)
    .end()
}

const block = (index: number, content_block: object): { type: string; index: number; content_block: object } => ({
  type: 'content_block_start',
  index,
  content_block,
})
const delta = (index: number, delta: object): { type: string; index: number; delta: object } => ({
  type: 'content_block_delta',
  index,
  delta,
})
const citation = {
  type: 'char_location',
  cited_text: 'x',
  document_index: 0,
  document_title: null,
  start_char_index: 0,
  end_char_index: 1,
}

const everything = [
  start,
  block(0, { type: 'thinking', thinking: '', signature: '' }),
  delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
  delta(0, { type: 'thinking_delta', thinking: 'm.' }),
  delta(0, { type: 'signature_delta', signature: 'sig' }),
  { type: 'content_block_stop', index: 0 },
  block(1, { type: 'text', text: '', citations: [] }),
  delta(1, { type: 'citations_delta', citation }),
  delta(1, { type: 'text_delta', text: 'Hi' }),
  { type: 'content_block_stop', index: 1 },
  block(2, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }),
  delta(2, { type: 'input_json_delta', partial_json: '' }),
  delta(2, { type: 'input_json_delta', partial_json: '{"city":"Pa' }),
  delta(2, { type: 'input_json_delta', partial_json: 'ris"}' }),
  { type: 'content_block_stop', index: 2 },
  block(3, { type: 'tool_use', id: 'toolu_2', name: 'time', input: {} }),
  delta(3, { type: 'input_json_delta', partial_json: '[1' }),
  delta(3, { type: 'input_json_delta', partial_json: ',2]' }),
  { type: 'content_block_stop', index: 3 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 20 } },
  stop,
]

test('listeners receive their events in order', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...everything)
      .end(),
  )
  const stream = server.client().messages.stream(params)
  const heard: unknown[][] = []
  const names: (keyof MessageStreamEvents)[] = [
    'connect',
    'text',
    'citation',
    'thinking',
    'signature',
    'inputJson',
    'end',
  ]
  for (const name of names) stream.on(name, (...args: unknown[]) => heard.push([name, ...structuredClone(args)]))
  stream.on('contentBlock', ({ type }) => heard.push(['contentBlock', type]))
  stream.on('message', ({ stop_reason }) => heard.push(['message', stop_reason]))
  stream.on('finalMessage', ({ stop_reason }) => heard.push(['finalMessage', stop_reason]))
  await stream.done()
  assert.deepEqual(heard, [
    ['connect'],
    ['thinking', 'Hm', 'Hm'],
    ['thinking', 'm.', 'Hmm.'],
    ['signature', 'sig'],
    ['contentBlock', 'thinking'],
    ['citation', citation, [citation]],
    ['text', 'Hi', 'Hi'],
    ['contentBlock', 'text'],
    ['inputJson', '', {}],
    ['inputJson', '{"city":"Pa', { city: 'Pa' }],
    ['inputJson', 'ris"}', { city: 'Paris' }],
    ['contentBlock', 'tool_use'],
    ['inputJson', '[1', []],
    ['inputJson', ',2]', [1, 2]],
    ['contentBlock', 'tool_use'],
    ['message', 'tool_use'],
    ['finalMessage', 'tool_use'],
    ['end'],
  ])
})

// Parsing the whole input again for each piece would take minutes; parsing each piece once takes a fraction of a second.
test('inputJson parses each piece of a long tool input once', { timeout: 120_000 }, async (t) => {
  const rows = Array.from({ length: 30_000 }, (_, id) => ({ id, name: `row ${id}` }))
  const json = JSON.stringify({ rows })
  const pieces = json.match(/.{1,20}/g)!.map((partial_json) => delta(0, { type: 'input_json_delta', partial_json }))
  const tool = block(0, { type: 'tool_use', id: 'toolu_1', name: 'insert', input: {} })
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(inOnePiece(start, tool, ...pieces, { type: 'content_block_stop', index: 0 }, stop))
      .end(),
  )
  const stream = server.client().messages.stream(params)
  let calls = 0
  let last: unknown
  stream.on('inputJson', (_, snapshot) => {
    calls++
    last = snapshot
  })
  await stream.done()
  assert.ok(json.length > 800_000)
  assert.equal(calls, pieces.length)
  assert.deepEqual(last, { rows })
})

test('streamEvent receives each event with the message so far', async (t) => {
  const server = await faultServer(t, says)
  const seen: [string, number][] = []
  const stream = server.client().messages.stream(params)
  stream.on('streamEvent', (event, snapshot) => seen.push([event.type, snapshot.content.length]))
  await stream.done()
  assert.deepEqual(seen[0], ['message_start', 0])
  assert.equal(seen.length, helloEvents.length - 1)
})

test('once() listens once, off() removes one registration, emitted() waits', async (t) => {
  const server = await faultServer(t, says)
  const heard: string[] = []
  const listener = (delta: string): void => void heard.push(`on ${delta}`)
  const stream = server.client().messages.stream(params)
  stream
    .once('text', (delta) => heard.push(`once ${delta}`))
    .on('text', listener)
    .on('text', listener)
    .off('text', listener)
  const message = await stream.emitted('message')
  assert.deepEqual(message, hello)
  assert.deepEqual(heard, ['once Hel', 'on Hel', 'on lo!'])
})

test('consecutive emitted() calls receive events that arrive together', async (t) => {
  const server = await faultServer(t, says)
  const stream = server.client().messages.stream(params)
  assert.deepEqual(await stream.emitted('text'), ['Hel', 'Hel'])
  assert.deepEqual(await stream.emitted('text'), ['lo!', 'Hello!'])
  assert.deepEqual(await stream.emitted('message'), hello)
  await stream.done()
})

test('emitted() rejects when the stream fails first', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer.json(400, { type: 'error', error: { type: 'invalid_request_error', message: 'no' } }),
  )
  await assert.rejects(server.client().messages.stream(params).emitted('text'), Anthropic.BadRequestError)
  const error = await server.client().messages.stream(params).emitted('error')
  assert.ok(error instanceof Anthropic.BadRequestError)
})

test('a stream loses no event when its reader comes late', async (t) => {
  const server = await faultServer(t, says)
  const stream = server.client().messages.stream(params)
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal((await Array.fromAsync(stream)).length, helloEvents.length - 1)
})

test('several loops receive the same events', async (t) => {
  const server = await faultServer(t, says)
  const stream = server.client().messages.stream(params)
  const [first, second] = await Promise.all([Array.fromAsync(stream), Array.fromAsync(stream), stream.finalMessage()])
  assert.deepEqual(first, second)
  assert.deepEqual(await Array.fromAsync(stream), [])
})

test('a failure is an unhandled rejection when only text is listened to', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer.json(400, { type: 'error', error: { type: 'invalid_request_error', message: 'no' } }),
  )
  const listeners = process.rawListeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  t.after(() => {
    for (const listener of listeners) process.on('unhandledRejection', listener as () => void)
  })
  const unhandled = once(process, 'unhandledRejection')
  server
    .client()
    .messages.stream(params)
    .on('text', () => {})
  const [reason] = (await unhandled) as [unknown]
  assert.ok(reason instanceof Anthropic.BadRequestError)
})

test('a failure with an error listener is not an unhandled rejection', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart, text('Hel'), overloaded).end())
  const stream = server.client().messages.stream(params)
  const [error] = await new Promise<[Error]>((resolve) => stream.on('error', (...args) => resolve(args)))
  assert.ok(error instanceof Anthropic.APIStreamError)
  assert.ok(stream.errored)
})

for (const transport of ['sockets', 'node'] as const) {
  test(`listeners run in the async context that created the stream, through ${transport}`, async (t) => {
    let sendRest!: () => void
    const inTwoParts = (answer: Answer): void => {
      const stream = answer.stream().send(start, textStart, text('Hel'))
      sendRest = () => stream.send(text('lo!'), textStop, endTurn, stop).end()
    }
    const server = await faultServer(t, inTwoParts, inTwoParts)
    const client = server.client({ transport })
    const context = new AsyncLocalStorage<string>()
    // The second request uses the connection of the first.
    for (const name of ['first', 'second']) {
      const seen: [string, string | undefined][] = []
      await context.run(name, async () => {
        const stream = client.messages.stream(params)
        stream.on('text', (delta) => {
          seen.push([delta, context.getStore()])
          if (delta === 'Hel') sendRest()
        })
        stream.on('contentBlock', () => seen.push(['block', context.getStore()]))
        await stream.done()
      })
      assert.deepEqual(seen, [
        ['Hel', name],
        ['lo!', name],
        ['block', name],
      ])
    }
    assert.equal(server.sockets.size, 1)
  })
}

test('an error thrown by a listener ends the stream and closes the connection', async (t) => {
  const server = await faultServer(t, (answer) => void answer.stream().send(start, textStart, text('Hel')))
  const mistake = new Error('mistake')
  const stream = server.client().messages.stream(params)
  stream.on('text', () => {
    throw mistake
  })
  await assert.rejects(stream.done(), { name: 'AnthropicError', message: 'mistake', cause: mistake })
  await server.idle()
})

test('finalText() names the blocks it found when there is no text', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer
      .stream()
      .send(...everything.filter((event) => (event as { index?: number }).index !== 1))
      .end(),
  )
  await assert.rejects(server.client().messages.stream(params).finalText(), /no text block: found thinking/)
})

test('currentMessage is the message so far until the stream ends', async (t) => {
  const server = await faultServer(t, says)
  const stream = server.client().messages.stream(params)
  const texts: unknown[] = []
  stream.on('text', () => texts.push(structuredClone(stream.currentMessage?.content[0])))
  await stream.done()
  assert.deepEqual(texts, [
    { type: 'text', text: 'Hel', citations: null },
    { type: 'text', text: 'Hello!', citations: null },
  ])
  assert.equal(stream.currentMessage, undefined)
})

test('withResponse() gives the stream and its response', async (t) => {
  const server = await faultServer(t, says)
  const stream = server.client().messages.stream(params)
  const { data, response, request_id } = await stream.withResponse()
  assert.equal(data, stream)
  assert.equal(response.status, 200)
  assert.equal(request_id, 'req_test')
  const message = await data.finalMessage()
  assert.equal((message as { _request_id?: string })._request_id, 'req_test')
  assert.equal(stream.request_id, 'req_test')
})
