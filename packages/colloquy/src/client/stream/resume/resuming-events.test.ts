import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MessageAccumulator } from '../../../protocol/codec/accumulate.ts'
import type { ContentBlock, Message } from '../../../protocol/types/message.ts'
import { replay } from '../../../protocol/codec/replay.ts'
import { encodeSse } from '../../../protocol/codec/sse.ts'
import { Anthropic } from '../../client.ts'
import {
  faultServer,
  helloEvents,
  overloaded,
  params,
  start,
  text,
  textStart,
} from '../../request/fault-server.test.ts'
import { planResume } from './resume-plan.ts'

const usage = { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 3, output_tokens: 1 }

function message(content: ContentBlock[], stop_reason = 'end_turn'): Message {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content,
    stop_reason,
    stop_sequence: null,
    usage,
  }
}

const say = (text: string): ContentBlock => ({ type: 'text', text, citations: null })
const think = (thinking: string, signature = 'sig 1'): ContentBlock => ({ type: 'thinking', thinking, signature })
const call = (id: string): ContentBlock => ({
  type: 'tool_use',
  id,
  name: 'weather',
  input: { city: 'Paris', days: [1, 2] },
})

/** A break of a stream: after how many bytes, and whether it ends, is reset, or carries an error of the API. */
interface Cut {
  bytes: number
  how: 'end' | 'reset' | 'overloaded'
}

interface Model {
  client: Anthropic
  requests: Anthropic.MessageCreateParams[]
}

/**
 * An API whose model always writes the same reply. Sent a part of the reply, as a prefill or with a message that asks to
 * continue, it writes the rest. Its first responses break off at the cuts, and name the models if any are given.
 */
function modelThatSays(
  whole: Message,
  { cuts, obeys = true, models = [] }: { cuts: readonly Cut[]; obeys?: boolean; models?: readonly string[] },
): Model {
  const requests: Anthropic.MessageCreateParams[] = []
  const client = new Anthropic({
    logLevel: 'error',
    apiKey: 'key',
    baseURL: 'http://model.test',
    fetch: (_, init) => {
      const request = JSON.parse(init!.body as string) as Anthropic.MessageCreateParams
      requests.push(request)
      const content = continueFrom(whole.content, positionOf(request), { obeys, response: requests.length })
      const bytes = new TextEncoder().encode(
        Array.from(replay({ ...whole, content, model: models[requests.length - 1] ?? whole.model }), encodeSse).join(
          '',
        ),
      )
      const cut = cuts[requests.length - 1]
      return new Response(cut ? broken(bytes, cut) : bytes, {
        headers: { 'content-type': 'text/event-stream', 'request-id': `req_${requests.length}` },
      })
    },
  })
  return { client, requests }
}

function broken(bytes: Uint8Array<ArrayBuffer>, { bytes: end, how }: Cut): ReadableStream<Uint8Array> {
  const pieces = [bytes.subarray(0, end)]
  if (how === 'overloaded')
    pieces.push(
      new TextEncoder().encode(
        `\n\n${encodeSse({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })}`,
      ),
    )
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift()
      if (piece) controller.enqueue(piece)
      else if (how === 'reset') controller.error(new TypeError('terminated'))
      else controller.close()
    },
  })
}

/** The part of the reply that a request still asks for, and how the model was asked. */
interface Position {
  /** The blocks of the reply that the request sends. */
  sent: ContentBlock[]
  /** The text that the model was asked to repeat; undefined for a prefill. */
  anchor: string | undefined
}

/** The position at which a request asks to continue. Undefined if it sends no part of the reply. */
function positionOf({ messages }: Anthropic.MessageCreateParams): Position | undefined {
  const reply = messages.find(({ role }) => role === 'assistant')
  if (!reply) return undefined
  const last = messages.at(-1)!
  const [, anchor] = /<end>([^]*)<\/end>/.exec(typeof last.content === 'string' ? last.content : '') ?? []
  return { sent: reply.content as ContentBlock[], anchor: last.role === 'user' ? anchor : undefined }
}

/** Checks that the request sends the reply as the API accepts it, as far as the model has written it. */
function checkPosition(content: ContentBlock[], { sent, anchor }: Position): void {
  for (const block of sent.slice(0, -1))
    assert.ok(block.type === 'thinking' || content.some((mine) => JSON.stringify(mine) === JSON.stringify(block)))
  const last = sent.at(-1)!
  if (last.type !== 'text') return
  assert.equal(last.text, last.text.trimEnd())
  assert.notEqual(last.text, '')
  if (anchor !== undefined) assert.ok(last.text.endsWith(anchor))
}

/** The content from that position on. The thinking of each response differs. */
function continueFrom(
  content: ContentBlock[],
  position: Position | undefined,
  { obeys, response }: { obeys: boolean; response: number },
): ContentBlock[] {
  const again = content.map((block) =>
    block.type === 'thinking' ? think(`thought ${response}`, `sig ${response}`) : block,
  )
  if (!position) return again
  checkPosition(content, position)
  const { sent, anchor } = position
  const last = sent.at(-1)!
  if (last.type !== 'text') return again.slice(sent.length)
  const at = content.findIndex((block, index) => index >= sent.length - 1 && block.type === 'text')
  const { text } = content[at] as Anthropic.TextBlock
  assert.ok(text.startsWith(last.text))
  const rest = text.slice(last.text.length)
  const written = anchor !== undefined && obeys ? `${anchor}${rest}` : rest
  const thinksAgain = anchor !== undefined && content.some(({ type }) => type === 'thinking')
  return [
    ...(thinksAgain ? [think(`thought ${response}`, 'bound to the continuation')] : []),
    ...(written ? [say(written)] : []),
    ...again.slice(at + 1),
  ]
}

/** The message that the events make. Checks that they come in order. */
async function read(stream: AsyncIterable<Anthropic.MessageStreamEvent>): Promise<Message> {
  const accumulator = new MessageAccumulator()
  let open: number | undefined
  let count = 0
  for await (const event of stream) {
    if (event.type === 'content_block_start') {
      assert.equal(open, undefined)
      assert.equal(event.index, count++)
      open = event.index
    } else if (event.type === 'content_block_delta') assert.equal(event.index, open)
    else if (event.type === 'content_block_stop') {
      assert.equal(event.index, open)
      open = undefined
    } else assert.equal(open, undefined)
    accumulator.push(event)
  }
  assert.ok(accumulator.isWhole)
  return accumulator.message!
}

function lengthOf(whole: Message): number {
  return new TextEncoder().encode(Array.from(replay(whole), encodeSse).join('')).length
}

const long = 'Hello, wörld! 👍\n\nA second paragraph  with two blanks \n- and a list\n'
const replies: Record<string, { model: string; whole: Message; thinking?: Anthropic.ThinkingConfigParam }> = {
  'a text by prefill': { model: 'claude-sonnet-4-5', whole: message([say(long)]) },
  'a text by a request to continue': { model: 'claude-sonnet-5-5', whole: message([say(long)]) },
  'thinking and a text': { model: 'claude-opus-5', whole: message([think('thought 1'), say(long)]) },
  'thinking and a text of a model with prefill': {
    model: 'claude-haiku-4-5',
    whole: message([think('thought 1'), say(long)]),
    thinking: { type: 'enabled', budget_tokens: 1024 },
  },
  'a text and tool calls': {
    model: 'claude-opus-4-5',
    whole: message([say('Let me see. '), call('toolu_1'), call('toolu_2')], 'tool_use'),
  },
  'thinking and a tool call': {
    model: 'claude-opus-5-5',
    whole: message([think('thought 1'), call('toolu_1')], 'tool_use'),
  },
}

const ways = ['end', 'reset', 'overloaded'] as const
/** Every byte takes ten seconds, so a short run cuts after each seventh, from another one on each time. */
const step = process.env['COLLOQUY_LONG'] === undefined ? 7 : 1

for (const [name, { model, whole, thinking }] of Object.entries(replies)) {
  test(`recover completes ${name} cut at any byte`, async () => {
    const offset = Math.floor(Math.random() * step)
    await Promise.all(
      Array.from({ length: Math.floor(lengthOf(whole) / step) }, async (_, i) => {
        const bytes = i * step + offset
        const how = ways[bytes % ways.length]!
        const { client, requests } = modelThatSays(whole, { cuts: [{ bytes, how }] })
        const body = { ...params, model, ...(thinking && { thinking }), stream: true as const }
        const received = await read(await client.messages.create(body, { recover: { attempts: 1 } }))
        const expected = endedAtCalls(whole, received)
        assert.deepEqual(withFirstThoughts(received.content), expected.content, `cut after ${bytes} bytes (${how})`)
        assert.equal(received.stop_reason, whole.stop_reason)
        assert.ok(requests.length <= 2)
      }),
    )
  })
}

/** The content with the thinking of the first response. Thinking of a later one is right too if it has its own signature. */
function withFirstThoughts(content: ContentBlock[]): ContentBlock[] {
  return content.map((block) => {
    if (block.type !== 'thinking') return block
    assert.equal(block.thinking.replace('thought', 'sig'), block.signature)
    return think('thought 1')
  })
}

/** The expected message: a complete tool call that was handed out ends it, as the model cannot continue before its result. */
function endedAtCalls(whole: Message, received: Message): Message {
  const calls = whole.content.findIndex(({ type }) => type === 'tool_use')
  return calls < 0 || received.content.length <= calls
    ? whole
    : { ...whole, content: whole.content.slice(0, received.content.length) }
}

test('recover completes a reply whose responses break off several times', async () => {
  const model = 'claude-sonnet-5-5'
  const whole = message([think('thought 1'), say(`${long}A third one, then. ${long.toUpperCase()}`)])
  const bytes = fc.integer({ min: 0, max: lengthOf(whole) })
  const cuts = fc.array(fc.record({ bytes, how: fc.constantFrom(...ways) }), { minLength: 1, maxLength: 2 })
  await Promise.all(
    fc.sample(fc.tuple(cuts, fc.boolean()), 200).map(async ([cuts, obeys]) => {
      const { client } = modelThatSays(whole, { cuts, obeys })
      const body = { ...params, model, stream: true as const }
      const received = await read(await client.messages.create(body, { recover: { attempts: 2 } }))
      assert.deepEqual(withFirstThoughts(received.content), whole.content, JSON.stringify({ cuts, obeys }))
    }),
  )
})

test('recover sums the usage of all responses', async () => {
  const whole = message([say(long)])
  whole.usage = { ...usage, output_tokens: 20, server_tool_use: { web_search_requests: 1 } }
  const { client, requests } = modelThatSays(whole, { cuts: [{ bytes: 700, how: 'end' }] })
  const received = await client.messages
    .stream({ ...params, model: 'claude-sonnet-4-5' }, { recover: { attempts: 1 } })
    .finalMessage()
  assert.equal(requests.length, 2)
  assert.equal(received.usage.input_tokens, 20)
  assert.equal(received.usage.cache_read_input_tokens, 6)
  // The first response had reported only the usage of its start.
  assert.ok(received.usage.output_tokens > 20)
})

test('recover gives the model that wrote the end of the reply', async () => {
  const whole = { ...message([say(long)]), model: 'claude-sonnet-4-5' }
  const { client, requests } = modelThatSays(whole, { cuts: [{ bytes: 700, how: 'end' }], models: ['a', 'b'] })
  const received = await client.messages
    .stream({ ...params, model: 'claude-sonnet-4-5' }, { recover: { attempts: 1 } })
    .finalMessage()
  assert.equal(requests.length, 2)
  assert.equal(received.model, 'b')
  assert.deepEqual(received.content, [say(long)])
})

test('recover continues a reply whose message_start had no stop_reason', async () => {
  let responses = 0
  const bare = { type: 'message_start', message: { id: 'msg_1', model: 'claude-sonnet-4-5', usage: {} } }
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text' } }
  const piece = (text: string): object => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  })
  const fetch = (): Response => {
    const sent =
      responses++ === 0 ? [bare, block, piece('Hello')] : [bare, block, piece(' world'), { type: 'message_stop' }]
    return new Response(sent.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
  }
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://model.test',
    fetch,
    maxRetryDelay: 1,
    logLevel: 'error',
  })
  const body = { ...params, model: 'claude-sonnet-4-5' }
  assert.equal(await client.messages.stream(body, { recover: { attempts: 1 } }).finalText(), 'Hello world')
})

test('recover completes create() without a stream', async () => {
  const { client, requests } = modelThatSays(message([say(long)]), { cuts: [{ bytes: 700, how: 'reset' }] })
  const received = await client.messages.create({ ...params, model: 'claude-sonnet-4-5' }, { recover: { attempts: 1 } })
  assert.deepEqual(received.content, [say(long)])
  assert.equal((received as { _request_id?: string })._request_id, 'req_2')
  assert.equal(requests.length, 2)
})

test('recover hands out text as it arrives and other blocks when complete', async (t) => {
  const pieces: (() => void)[] = []
  const server = await faultServer(t, (answer) => {
    answer.stream().send(start, textStart, text('Hel'))
    pieces.push(() =>
      answer
        .send({ type: 'content_block_stop', index: 0 })
        .send({
          type: 'content_block_start',
          index: 1,
          content_block: { type: 'tool_use', id: 'toolu_1', name: 'x', input: {} },
        })
        .send({ type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } })
        .reset(),
    )
  })
  const stream = await server.client().messages.create({ ...params, stream: true }, { recover: { attempts: 0 } })
  const types: string[] = []
  await assert.rejects(async () => {
    for await (const { type } of stream) {
      types.push(type)
      if (type === 'content_block_delta') pieces[0]!()
    }
  }, Anthropic.APIStreamError)
  assert.deepEqual(types, ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop'])
})

test('recover fails with the whole partial message after its last attempt', async () => {
  const whole = message([say(long)])
  const cut: Cut = { bytes: 700, how: 'end' }
  const { client, requests } = modelThatSays(whole, { cuts: [cut, { bytes: 500, how: 'reset' }] })
  const stream = client.messages.stream({ ...params, model: 'claude-sonnet-4-5' }, { recover: { attempts: 1 } })
  let handedOut = ''
  stream.on('text', (delta) => (handedOut += delta))
  await assert.rejects(stream.finalMessage(), (error: Error) => {
    assert.ok(error instanceof Anthropic.APIStreamError)
    assert.deepEqual(error.partial?.content, [say(handedOut)])
    assert.equal(error.usage?.input_tokens, 20)
    assert.equal(error.requestID, 'req_2')
    return true
  })
  assert.ok(handedOut.length > 20)
  assert.equal(requests.length, 2)
})

test('a broken stream without recover is an error after one request', async () => {
  const { client, requests } = modelThatSays(message([say(long)]), { cuts: [{ bytes: 700, how: 'end' }] })
  await assert.rejects(client.messages.stream(params).finalMessage(), Anthropic.APIStreamError)
  assert.equal(requests.length, 1)
})

test('recover does not resume after an error that a retry cannot heal', async (t) => {
  const refused = { type: 'error', error: { type: 'invalid_request_error', message: 'No' } }
  const server = await faultServer(t, (answer) => answer.stream().send(start, textStart, text('Hel'), refused).end())
  const stream = server.client().messages.stream(params, { recover: { attempts: 3 } })
  await assert.rejects(stream.finalMessage(), { type: 'invalid_request_error', name: 'APIStreamError' })
  assert.equal(server.requests.length, 1)
})

test('an abort ends recover while it waits and while it reads', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.stream().send(start, textStart, text('Hel'), overloaded).end(),
    (answer) => void answer.stream().send(...helloEvents.slice(0, 4)),
  )
  for (const retries of [true, false]) {
    server.requests.length = 0
    const controller = new AbortController()
    const stream = server.client().messages.stream(
      { ...params, model: 'claude-sonnet-4-5' },
      {
        recover: { attempts: 2 },
        signal: controller.signal,
        onRetry: () => void (retries && setTimeout(() => controller.abort(), 10)),
      },
    )
    stream.on('text', () => {
      if (server.requests.length === 2) controller.abort()
    })
    await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError)
    assert.equal(server.requests.length, retries ? 1 : 2)
  }
  await server.idle()
})

test('leaving the loop closes the connection of the current response', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.stream().send(start, textStart, text('Hel')).reset(),
    (answer) => void answer.stream().send(start, textStart, text('lo!')),
  )
  let seen = ''
  for await (const event of await server
    .client()
    .messages.create({ ...params, stream: true }, { recover: { attempts: 1 } })) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') seen += event.delta.text
    if (seen === 'Hello!') break
  }
  await server.idle()
})

const resumed = { ...params, model: 'claude-sonnet-5-5' }
const cut = (...content: ContentBlock[]): Message => ({ ...message(content), stop_reason: null })

test('planResume() sends complete thinking, but no white space or thinking at the end', () => {
  const found = planResume(resumed, cut(think('hm'), say('Hello ')))
  assert.ok(found?.type === 'request')
  assert.deepEqual(found.params.messages.slice(0, 2), [
    params.messages[0],
    { role: 'assistant', content: [think('hm'), say('Hello')] },
  ])
  assert.equal(found.params.messages.length, 3)
  const thinking = planResume(resumed, cut(say('Hello'), think('hm')))
  assert.ok(thinking?.type === 'request')
  assert.deepEqual(thinking.params.messages[1]?.content, [say('Hello')])
})

test('planResume() repeats the request when only thinking was handed out', () => {
  for (const content of [[], [think('hm')], [say(' \n')]]) {
    const found = planResume(resumed, cut(...content))
    assert.ok(found?.type === 'request')
    assert.equal(found.params, resumed)
    assert.equal(found.dropsThinking, content.length > 0)
  }
})

test('planResume() sends a reply that ends in a server tool call as it is', () => {
  const search: ContentBlock = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } }
  const found = planResume(resumed, cut(say('Let me look.'), search))
  assert.ok(found?.type === 'request')
  assert.deepEqual(found.params.messages.at(-1), { role: 'assistant', content: [say('Let me look.'), search] })
})

test('planResume() prefills if the model accepts it or the caller asks for it', () => {
  const way = (
    model: string,
    options: { prefill?: boolean; thinking?: Anthropic.ThinkingConfigParam } = {},
  ): string | undefined => {
    const { prefill, ...rest } = options
    const found = planResume({ ...params, model, ...rest }, cut(say('Hello')), { prefill })
    return found?.type === 'request' ? found.params.messages.at(-1)?.role : found?.type
  }
  for (const model of [
    'claude-haiku-4-5',
    'claude-opus-4-5-20251101',
    'claude-opus-4-1-20250805',
    'claude-sonnet-4-20250514',
    'claude-3-7-sonnet-20250219',
  ]) {
    assert.equal(way(model), 'assistant', model)
  }
  for (const model of [
    'claude-opus-4-6',
    'claude-sonnet-4-6',
    'claude-opus-4-7',
    'claude-sonnet-5',
    'claude-fable-5-2',
    'gpt-oss',
  ]) {
    assert.equal(way(model), 'user', model)
  }
  assert.equal(way('llama', { prefill: true }), 'assistant')
  assert.equal(way('claude-haiku-4-5', { prefill: false }), 'user')
  assert.equal(way('claude-haiku-4-5', { thinking: { type: 'enabled', budget_tokens: 1024 } }), 'user')
  assert.equal(way('claude-haiku-4-5', { thinking: { type: 'disabled' } }), 'assistant')
})

test('planResume() gives up on threads and on half of a JSON output', () => {
  assert.equal(planResume({ ...resumed, thread: { type: 'create' } }, cut(say('Hello'))), undefined)
  const format = { type: 'json_schema', schema: { type: 'object' } } as const
  assert.equal(planResume({ ...resumed, output_config: { format } }, cut(say('{"a"'))), undefined)
  assert.equal(planResume({ ...resumed, output_config: { format } }, cut())?.type, 'request')
})
