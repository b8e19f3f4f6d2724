import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { APIError, APIUserAbortError, RateLimitError } from '../../protocol/types/error.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Clock } from '../clock.ts'
import { offline } from '../offline/offline.ts'
import { script } from '../script.ts'
import { type CassettePort, decodeCassette, encodeCassette, type Exchange } from './cassette.ts'
import { record } from './record.ts'
import { recordedEvents, timedEvents } from './recorded-events.ts'

function memory(text?: string): CassettePort & { text: string } {
  const port = {
    name: 'trip.json',
    text: text ?? '',
    read: async () => port.text || undefined,
    write: async (written: string) => void (port.text = written),
  }
  return port
}

function request(content: string, more: Partial<MessageCreateParams> = {}): MessageCreateParams {
  return { model: 'claude-opus-5-5', max_tokens: 100, messages: [{ role: 'user', content }], ...more }
}

type Event = MessageStreamEvent | PingEvent

async function eventsOf(engine: Engine, params: MessageCreateParams): Promise<Event[]> {
  return Array.fromAsync(engine(params))
}

test('record() replays exactly the events that it recorded, without the engine', async () => {
  const cassette = memory()
  const tool = { name: 'weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } }
  const asked = [
    request('Write a list of 3 fruits'),
    request('What is the weather?', { tools: [tool], tool_choice: { type: 'any' } }),
    request('Think', { thinking: { type: 'adaptive' } }),
  ]
  const recording = record({ cassette, engine: offline(), mode: 'record' })
  const recorded = []
  for (const params of asked) recorded.push(await eventsOf(recording, params))
  const count = await recording.countTokens!(asked[0]!)

  const replaying = record({ cassette })
  assert.equal(replaying.unused, 0)
  for (const [index, params] of asked.toReversed().entries())
    assert.deepEqual(await eventsOf(replaying, params), recorded.at(-1 - index))
  assert.deepEqual(await replaying.countTokens!(asked[0]!), count)
  assert.equal(replaying.unused, 0)
})

test('a cassette is JSON that is read line by line: whole texts, one event a line', async () => {
  const cassette = memory()
  const engine = script([{ content: 'I plan trips to Japan.', id: 'msg_1' }])
  await accumulate(record({ cassette, engine, mode: 'record' })(request('Who are you?')))
  const lines = cassette.text.split('\n')
  assert.deepEqual(lines.slice(0, 9), [
    '{',
    '  "cassette": 1,',
    '  "exchanges": [',
    '    {',
    '      "kind": "message",',
    '      "request": {',
    '        "model": "claude-opus-5-5",',
    '        "max_tokens": 100,',
    '        "messages": [',
  ])
  assert.ok(lines.some((line) => line.includes('"text":"I plan trips to Japan."') && line.includes('"pieces":"20 2"')))
})

test('record() matches requests whatever the order of the keys, and whether they are streamed', async () => {
  const cassette = memory()
  await accumulate(record({ cassette, engine: script(['One.']), mode: 'record' })(request('a', { stream: true })))
  const { messages, ...rest } = request('a')
  const { content } = await accumulate(record({ cassette })({ messages, ...rest, system: undefined as never }))
  assert.equal(content.length, 1)
})

test('record() shows the difference to the nearest recording when no request matches', async () => {
  const cassette = memory()
  const engine = script(['One.', 'Two.'])
  const recording = record({ cassette, engine, mode: 'record' })
  await accumulate(recording(request('I want to plan a trip to Japan in the autumn of next year.')))
  await accumulate(recording(request('Something else', { system: 'Be brief.' })))
  const replaying = record({ cassette })
  const changed = request('I want to plan a trip to Japan in the spring of next year.', { max_tokens: 200 })
  const error = await accumulate(replaying(changed)).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof APIError)
  assert.deepEqual([error.status, error.errorCode], [400, 'no_recording'])
  assert.equal(
    error.apiMessage,
    [
      'No recording in trip.json matches the request: the nearest one, exchange 1, differs:',
      '  max_tokens: recorded 100, now 200',
      '  messages.0.content: recorded …"trip to Japan in the autumn of next year.", now …"trip to Japan in the spring of next year."',
      'The mode record-missing adds it: for cassette(), set COLLOQUY_CASSETTES=record-missing.',
    ].join('\n'),
  )
  await assert.rejects(accumulate(record({ cassette: memory() })(changed)), {
    apiMessage: /^No recording in trip\.json matches the request: it has no exchange\n/,
  })
})

test('record-missing adds the requests that the cassette lacks, and asks the engine for no other', async () => {
  const cassette = memory()
  const first = script(['One.'])
  await accumulate(record({ cassette, engine: first, mode: 'record' })(request('a')))
  const second = script(['Two.'])
  const recording = record({ cassette, engine: second, mode: 'record-missing' })
  await accumulate(recording(request('a')))
  await accumulate(recording(request('b')))
  assert.deepEqual(
    second.requests.map(({ params }) => params.messages[0]!.content),
    ['b'],
  )
  assert.equal(decodeCassette(cassette.text, 'x').length, 2)
})

test('record() gives equal requests their replies in order, and the last one again', async () => {
  const cassette = memory()
  const recording = record({ cassette, engine: script(['One.', 'Two.']), mode: 'record' })
  await accumulate(recording(request('a')))
  await accumulate(recording(request('a')))
  const replaying = record({ cassette })
  const replies = []
  for (let index = 0; index < 3; index++) {
    const { content } = await accumulate(replaying(request('a')))
    replies.push((content[0] as { text: string }).text)
  }
  assert.deepEqual(replies, ['One.', 'Two.', 'Two.'])
})

test('record() keeps the order in which requests began, whichever reply is complete first', async () => {
  const cassette = memory()
  const engine = script([
    { when: ({ messages }) => messages[0]!.content === 'slow', reply: 'Slow.', delayMs: 20 },
    { reply: 'Fast.', times: 2 },
  ])
  const recording = record({ cassette, engine, mode: 'record' })
  await Promise.all([request('slow'), request('fast'), request('also fast')].map((each) => accumulate(recording(each))))
  const contents = decodeCassette(cassette.text, 'x').map(({ request: { messages } }) => messages[0]!.content)
  assert.deepEqual(contents, ['slow', 'fast', 'also fast'])
})

test('record() replays errors of the API, before and in the middle of a reply', async () => {
  const cassette = memory()
  const engine = script([
    { error: { type: 'rate_limit_error', headers: { 'retry-after': '7', 'x-secret': 'a' } } },
    { reply: 'Hello there', error: { type: 'overloaded_error' }, after: 3 },
  ])
  const recording = record({ cassette, engine, mode: 'record' })
  await assert.rejects(accumulate(recording(request('a'))))
  await assert.rejects(accumulate(recording(request('b'))))
  const replaying = record({ cassette })
  await assert.rejects(
    accumulate(replaying(request('a'))),
    (error) => error instanceof RateLimitError && error.retryAfterMs === 7_000,
  )
  const seen: string[] = []
  await assert.rejects(
    async () => {
      for await (const { type } of replaying(request('b'))) seen.push(type)
    },
    { type: 'overloaded_error' },
  )
  assert.equal(seen.length, 3)
  assert.ok(!cassette.text.includes('x-secret'))
})

test('record() does not record replies that were left, aborted or cut', async () => {
  const cassette = memory()
  const engine = script([{ reply: 'Hello there', times: 2 }, { reply: 'Hello', cut: 'reset', after: 2 }, 'Complete.'])
  const recording = record({ cassette, engine, mode: 'record' })
  for await (const _ of recording(request('left'))) break
  const controller = new AbortController()
  await assert.rejects(async () => {
    for await (const _ of recording(request('aborted'), { signal: controller.signal })) controller.abort()
  }, APIUserAbortError)
  await assert.rejects(accumulate(recording(request('cut'))))
  await accumulate(recording(request('complete')))
  assert.deepEqual(
    decodeCassette(cassette.text, 'x').map(({ request: { messages } }) => messages[0]!.content),
    ['complete'],
  )
})

test('record() leaves the old cassette until the first exchange is complete', async () => {
  const cassette = memory(encodeCassette([]))
  const before = cassette.text
  const recording = record({ cassette, engine: script([{ reply: 'Hi', cut: 'reset', after: 1 }]), mode: 'record' })
  await assert.rejects(accumulate(recording(request('a'))))
  assert.equal(cassette.text, before)
})

test('record() removes secrets by the names of fields, also from JSON within texts', async () => {
  const inner = JSON.stringify({ client_secret: 'four-secret', user: 'Ada' })
  const input = {
    user: 'Bob',
    password: 'one-secret "quoted" \\ more-secret',
    'X-API-Key': 'two-secret',
    id_token: 'three-secret',
    inner,
  }
  const cassette = memory()
  const engine = script([{ content: [{ type: 'tool_use', id: 'toolu_1', name: 'login', input }] }, 'Done.'])
  const loop = async (recording: Engine): Promise<Message[]> => {
    const first = request('Log in.')
    const call = await accumulate(recording(first))
    const content = JSON.stringify({ cookie: 'five-secret', text: 'Cy: password' }, null, 2)
    const results = [{ type: 'tool_result' as const, tool_use_id: 'toolu_1', content }]
    const messages = [
      ...first.messages,
      { role: 'assistant' as const, content: call.content },
      { role: 'user' as const, content: results },
    ]
    return [call, await accumulate(recording({ ...first, messages }))]
  }
  await loop(record({ cassette, engine, mode: 'record' }))
  assert.doesNotMatch(cassette.text, /-secret/)
  for (const kept of ['Ada', 'Bob', 'Cy: password']) assert.ok(cassette.text.includes(kept), kept)
  const [call] = await loop(record({ cassette }))
  const found = (call!.content[0] as { input: typeof input }).input
  assert.deepEqual(
    [found.user, found.password, JSON.parse(found.inner)],
    ['Bob', '[removed]', { client_secret: '[removed]', user: 'Ada' }],
  )
})

test('record() removes secrets from requests and replies, and still matches the requests', async () => {
  const secrets = ['sk-ant-api03-abcdefgh12345678', 'AKIAABCDEFGHIJKLMNOP', 'my-own-secret', 'token-of-a-server']
  const cassette = memory()
  const params = request(`My key is ${secrets[0]} and ${secrets[2]}.`, {
    mcp_servers: [{ type: 'url', url: 'https://user:pass-word@mcp.test', authorization_token: secrets[3] }],
  } as never)
  // Cut in the middle of the secret: the pieces alone would not show it.
  const engine = script([`Do not share ${secrets[1]} with anybody at all.`])
  const recording = record({ cassette, engine, mode: 'record', secrets: ['my-own-secret'] })
  await accumulate(recording(params))
  for (const secret of [...secrets, 'pass-word']) assert.ok(!cassette.text.includes(secret), secret)
  const { content } = await accumulate(record({ cassette, secrets: [/my-own-\w+/] })(params))
  assert.equal((content[0] as { text: string }).text, 'Do not share [removed] with anybody at all.')
})

test('record() ignores the fields that it is told to', async () => {
  const cassette = memory()
  const ignore = ['metadata.user_id']
  const recording = record({ cassette, engine: script(['One.']), mode: 'record', ignore })
  await accumulate(recording(request('a', { metadata: { user_id: 'one' } })))
  const other = request('a', { metadata: { user_id: 'two' } })
  await accumulate(record({ cassette, ignore })(other))
  await assert.rejects(accumulate(record({ cassette })(other)), { status: 400 })
})

test('record() keeps and plays the timing when told to', async () => {
  const waits: number[] = []
  let now = 0
  const clock: Clock = { now: () => (now += 10), wait: async (ms) => void waits.push(ms) }
  const cassette = memory()
  await accumulate(record({ cassette, engine: script(['Hi']), mode: 'record', timing: true, clock })(request('a')))
  await accumulate(record({ cassette, clock })(request('a')))
  assert.deepEqual(waits, [])
  await accumulate(record({ cassette, timing: true, clock })(request('a')))
  assert.deepEqual(waits, [10, 10, 10, 10, 10, 10])
})

test('recordedEvents() and timedEvents() are inverses, however a text is cut', () => {
  const text = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 9 })
  const kinds = fc.constantFrom<[string, string]>(
    ['text_delta', 'text'],
    ['thinking_delta', 'thinking'],
    ['input_json_delta', 'partial_json'],
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(kinds, text, fc.nat(3))), (blocks) => {
      const events = blocks.flatMap(([[type, field], pieces, index]) =>
        pieces.map((piece) => ({
          event: { type: 'content_block_delta', index, delta: { type, [field]: piece } } as MessageStreamEvent,
          ms: 3,
        })),
      )
      assert.deepEqual([...timedEvents(recordedEvents(events, true))], events)
    }),
    { numRuns: 50 },
  )
})

test('encodeCassette() and decodeCassette() are inverses', () => {
  const exchanges: Exchange[] = [
    { kind: 'message', request: request('a\n  "b"'), events: [{ type: 'message_stop' }] },
    { kind: 'message', request: request('b'), events: [], error: { status: 429, body: { type: 'error' } } },
    { kind: 'count_tokens', request: { model: 'm', messages: [] }, result: { input_tokens: 5 } },
  ]
  assert.deepEqual(decodeCassette(encodeCassette(exchanges), 'x'), exchanges)
  assert.deepEqual(decodeCassette(encodeCassette([]), 'x'), [])
})

test('record() says what is wrong with a cassette or an option', async () => {
  for (const [text, message] of [
    ['{', /^Cannot read the cassette trip\.json: it is not JSON: /],
    ['{ "cassette": 2 }', 'Cannot read the cassette trip.json: its version must be 1: found 2'],
    ['{ "cassette": 1 }', 'Cannot read the cassette trip.json: it has no list of exchanges'],
    ['{ "cassette": 1, "exchanges": [{}] }', 'Cannot read the cassette trip.json: exchange 1 has no request and reply'],
  ] as const)
    await assert.rejects(accumulate(record({ cassette: memory(text) })(request('a'))), {
      name: 'AnthropicError',
      message,
    })
  assert.throws(() => record({ cassette: memory(), mode: 'play' as never }), {
    message: 'Cannot use mode of record(): it must be replay, record or record-missing: found "play"',
  })
  assert.throws(() => record({ cassette: memory(), mode: 'record' }), /in the mode record without an engine/)
  assert.throws(() => record({ casette: memory() } as never), /did you mean cassette\?/)
})

test('record() passes an error of the engine that is not a reply, and records nothing', async () => {
  const cassette = memory()
  const failing: Engine = Object.assign(script([]), {
    countTokens: () => Promise.reject(apiError('overloaded_error', 'Overloaded')),
  })
  const recording = record({ cassette, engine: failing, mode: 'record' })
  await assert.rejects(recording.countTokens!(request('a')), { type: 'overloaded_error' })
  assert.equal(cassette.text, '')
})
