import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Engine } from '../../protocol/types/engine.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { replay } from '../../protocol/codec/replay.ts'
import { jsonSchemaOutputFormat } from '../../protocol/json/schema.ts'
import { tool } from '../../tools/tool.ts'
import type { Anthropic } from '../client.ts'
import { type WireParams, clientOf } from '../engine-fetch.test.ts'
import type { MessageThread } from './thread.ts'
import type { ThreadParams } from './thread-params.ts'

const params = { model: 'claude-sonnet-5-5', max_tokens: 100, system: 'Be brief.' }
const say = (content: string): MessageParam => ({ role: 'user', content })

/** The reply of the model to a request. By default it repeats all messages. */
type Answer = (heard: string[], request: MessageCreateParams) => Partial<Message> & { cutAfter?: number }

/** An engine that keeps threads as the API does. */
class ThreadKeeper {
  readonly threads = new Map<string, { history: MessageParam[]; given: string; isContinued: boolean }>()
  answer: Answer = (heard) => ({ content: [{ type: 'text', text: heard.join(' | '), citations: null }] })
  /** Error codes for the next requests. */
  readonly refusals: string[] = []
  #count = 0

  readonly engine: Engine = (request, context) => this.#reply(request, context?.betas ?? [])

  async *#reply(
    request: MessageCreateParams,
    betas: readonly string[],
  ): ReturnType<typeof this.engine> & AsyncGenerator {
    const { thread, messages } = request
    const refusal = thread && this.refusals.shift()
    if (refusal) {
      const type = refusal === 'thread_not_found' ? 'not_found_error' : 'invalid_request_error'
      throw apiError(type, refusal, { error_code: refusal, unsupported: ['model'] })
    }
    if (thread && !betas.includes('message-threads-2026-08-12')) throw apiError('invalid_request_error', 'no beta')
    const given = JSON.stringify([request.system, request.tools])
    const before = thread?.type === 'continue' ? this.#continued(thread.previous_message_id, request) : undefined
    const history = [...(before?.history ?? []), ...messages]
    if (history.length === 0) throw apiError('invalid_request_error', 'messages: at least one message is required')
    const { cutAfter, ...reply } = this.answer(history.filter(({ role }) => role === 'user').map(textOf), request)
    const message = messageOf(`msg_${++this.#count}`, reply)
    if (thread) {
      const { role, content } = message
      const kept = { history: [...history, { role, content }], given: before?.given ?? given, isContinued: false }
      this.threads.set(message.id, kept)
    }
    yield* Array.from(replay(message)).slice(0, cutAfter)
  }

  #continued(id: string, { system, tools }: MessageCreateParams): { history: MessageParam[]; given: string } {
    const thread = this.threads.get(id)
    if (!thread) throw apiError('not_found_error', id, { error_code: 'thread_not_found' })
    if (thread.isContinued) throw apiError('invalid_request_error', id, { error_code: 'thread_already_continued' })
    if (system !== undefined || tools !== undefined)
      throw apiError('invalid_request_error', 'system and tools are kept')
    thread.isContinued = true
    return thread
  }
}

function textOf({ content }: MessageParam): string {
  if (typeof content === 'string') return content
  return content.map((block) => ('text' in block ? (block.text as string) : `<${block.type}>`)).join('')
}

function messageOf(id: string, reply: Partial<Message>): Message {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model: params.model,
    content: [],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
    ...reply,
  }
}

function begin(more: Partial<ThreadParams> = {}): {
  keeper: ThreadKeeper
  thread: MessageThread
  requests: WireParams[]
  client: Anthropic
} {
  const keeper = new ThreadKeeper()
  const { client, requests } = clientOf(keeper.engine)
  return { keeper, thread: client.beta.messages.thread({ ...params, ...more }), requests, client }
}

const texts = ({ content }: Message) => textOf({ role: 'assistant', content })

test('a thread sends each message once', async () => {
  const { thread, requests } = begin({ messages: [say('one')], betas: ['files-api-2025-04-14'] })
  assert.equal(thread.previousMessageId, null)
  assert.equal(texts(await thread.send(say('two'))), 'one | two')
  assert.equal(texts(await thread.send(say('three'))), 'one | two | three')
  assert.equal(thread.previousMessageId, 'msg_2')
  const betas = ['files-api-2025-04-14', 'message-threads-2026-08-12']
  assert.deepEqual(requests, [
    { ...params, messages: [say('one'), say('two')], thread: { type: 'create' }, betas },
    {
      model: params.model,
      max_tokens: 100,
      messages: [say('three')],
      thread: { type: 'continue', previous_message_id: 'msg_1' },
      betas,
    },
  ])
  assert.deepEqual(thread.messages.map(textOf), ['one', 'two', 'one | two', 'three', 'one | two | three'])
})

test('a thread refuses what is not a message, with nothing staged', async () => {
  const { thread, requests } = begin()
  for (const given of ['text', 5, {}, { role: 'user' }, [say('one'), null]]) {
    const error = { name: 'AnthropicError', message: /^Cannot send to a thread: it takes messages/ }
    await assert.rejects(async () => thread.send(given as never), error, JSON.stringify(given))
  }
  assert.equal(texts(await thread.send(say('two'))), 'two')
  assert.deepEqual(requests[0]?.messages, [say('two')])
})

test('a thread that the server lost is created again from the whole history', async () => {
  for (const code of ['thread_not_found', 'thread_already_continued', 'thread_continue_in_flight']) {
    const { thread, requests, keeper } = begin()
    await thread.send(say('one'))
    keeper.refusals.push(code)
    assert.equal(texts(await thread.send(say('two'))), 'one | two')
    assert.equal(texts(await thread.send(say('three'))), 'one | two | three')
    assert.deepEqual(
      requests.map(({ thread, messages }) => [thread?.type, messages.length]),
      [
        ['create', 1],
        ['continue', 1],
        ['create', 3],
        ['continue', 1],
      ],
    )
    assert.equal(requests[2]!.system, 'Be brief.')
  }
})

test('a history that is sent again has no old cache marks, but data of that name', async () => {
  const mark = { cache_control: { type: 'ephemeral' as const } }
  const { thread, requests, keeper } = begin()
  const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'a', input: { cache_control: 'data' } }
  keeper.answer = () => ({ content: [call], stop_reason: 'tool_use' })
  await thread.send({ role: 'user', content: [{ type: 'text', text: 'one', ...mark }] })
  keeper.threads.clear()
  const result = { type: 'tool_result' as const, tool_use_id: 'toolu_1', content: 'two', ...mark }
  await thread.send({ role: 'user', content: [result] })
  assert.deepEqual(requests.at(-1)!.messages, [
    { role: 'user', content: [{ type: 'text', text: 'one' }] },
    { role: 'assistant', content: [call] },
    { role: 'user', content: [result] },
  ])
  assert.deepEqual(thread.messages[0]!.content, [{ type: 'text', text: 'one', ...mark }])
})

test('unsupportedRequestBehavior decides about a server without threads', async () => {
  const strict = begin()
  strict.keeper.refusals.push('thread_unsupported_request')
  await assert.rejects(strict.thread.send(say('one')), { errorCode: 'thread_unsupported_request' })
  assert.deepEqual(strict.thread.messages, [])

  const lenient = begin({ unsupportedRequestBehavior: 'continue_unthreaded' })
  lenient.keeper.refusals.push('thread_unsupported_request')
  assert.equal(texts(await lenient.thread.send(say('one'))), 'one')
  assert.equal(texts(await lenient.thread.send(say('two'))), 'one | two')
  assert.deepEqual(
    lenient.requests.map(({ thread }) => thread?.type),
    ['create', undefined, undefined],
  )
  assert.deepEqual(lenient.requests.at(-1)!.betas, [])
  assert.equal(lenient.requests.at(-1)!.system, 'Be brief.')
  assert.equal(texts(await lenient.thread.fork().send(say('three'))), 'one | two | three')
  assert.equal(lenient.requests.at(-1)!.thread, undefined)
})

test('continue_unthreaded ends threads on a server that loses each at once', async () => {
  const { thread, requests, keeper } = begin({ unsupportedRequestBehavior: 'continue_unthreaded' })
  for (const word of ['one', 'two', 'three', 'four']) {
    await thread.send(say(word))
    keeper.threads.clear()
  }
  assert.deepEqual(
    requests.map(({ thread }) => thread?.type),
    ['create', 'continue', 'create', 'continue', undefined, undefined],
  )
  assert.equal(textOf(thread.messages.at(-1)!), 'one | two | three | four')
})

test('a failed turn passes its error on and can be sent again', async () => {
  const { thread, keeper } = begin({ messages: [say('zero')] })
  keeper.refusals.push('thread_fingerprint_mismatch')
  await assert.rejects(thread.send(say('one')), { errorCode: 'thread_fingerprint_mismatch' })
  assert.deepEqual(thread.messages, [say('zero')])
  assert.equal(texts(await thread.send(say('one'))), 'zero | one')
})

test('append() waits for the next turn and skips the reply that is there', async () => {
  const { thread, requests } = begin()
  thread.append(say('one'), say('two'))
  const reply = await thread.send()
  thread.append(reply)
  assert.equal(thread.messages.length, 3)
  const sending = thread.send([{ role: 'assistant', content: structuredClone(reply.content) }, say('three')])
  thread.append(say('four'))
  assert.equal(texts(await sending), 'one | two | three')
  assert.deepEqual(requests[1]!.messages, [say('three')])
  assert.equal(texts(await thread.send(say('five'))), 'one | two | three | four | five')
})

test('append() skips the last reply after other messages, and a copy of it right after it', async () => {
  const { thread } = begin()
  const reply = await thread.send(say('one'))
  thread.append({ role: 'assistant', content: structuredClone(reply.content) })
  assert.equal(thread.messages.length, 2)
  thread.append(say('two'))
  thread.append(reply)
  assert.equal(thread.messages.length, 3)
})

test('a thread runs one turn at a time', async () => {
  const { thread } = begin()
  const first = thread.send(say('one'))
  assert.throws(() => thread.send(say('two')), /a turn is in flight/)
  assert.throws(() => thread.stream(say('two')), /a turn is in flight/)
  assert.equal(texts(await first), 'one')
  assert.equal(texts(await thread.send(say('two'))), 'one | two')
})

test('update() changes later turns, but not system and tools of a thread', async () => {
  const { thread, requests } = begin()
  thread.update({ max_tokens: 50, metadata: undefined as never })
  await thread.send(say('one'), { system: 'Be kind.' })
  assert.equal(requests[0]!.system, 'Be kind.')
  assert.equal(requests[0]!.max_tokens, 50)
  assert.equal(thread.params.system, 'Be kind.')
  await thread.send(say('two'), { max_tokens: 60 })
  assert.equal(requests[1]!.max_tokens, 60)
  await assert.rejects(thread.send(say('three'), { system: 'Be rude.' }), /^AnthropicError: Cannot change system: /)
  assert.equal(requests.length, 2)
  assert.equal(texts(await thread.send(say('three'))), 'one | two | three')
  assert.equal(requests[2]!.max_tokens, 50)
  assert.throws(() => thread.update({ thread: { type: 'create' } } as never), /Cannot set `thread`/)
  assert.throws(() => begin({ thread: { type: 'create' } } as never), /Cannot set `thread`/)
})

test('fork() continues the same conversation in its own thread', async () => {
  const { thread, requests } = begin()
  await thread.send(say('one'))
  thread.append(say('two'))
  const fork = thread.fork()
  assert.equal(fork.previousMessageId, null)
  assert.equal(texts(await fork.send(say('left'))), 'one | two | left')
  assert.equal(texts(await thread.send(say('right'))), 'one | two | right')
  assert.deepEqual(
    requests.map(({ thread }) => thread?.type),
    ['create', 'create', 'continue'],
  )
})

test('parse() parses the reply and keeps it in the history as it came', async () => {
  const keeper = new ThreadKeeper()
  const { client } = clientOf(keeper.engine)
  const format = jsonSchemaOutputFormat({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] })
  const thread = client.beta.messages.thread({ ...params, output_config: { format } })
  keeper.answer = () => ({ content: [{ type: 'text', text: '{"n":7}', citations: null }] })
  const { parsed_output } = await thread.parse(say('one'))
  const n: number | undefined = parsed_output?.n
  assert.equal(n, 7)
  assert.deepEqual(thread.messages.at(-1)!.content, [{ type: 'text', text: '{"n":7}', citations: null }])
})

test('stream() streams the reply and keeps it', async () => {
  const { thread, requests, keeper } = begin()
  await thread.send(say('one'))
  keeper.threads.clear()
  const stream = thread.stream(say('two'))
  const types: string[] = []
  for await (const event of stream) types.push(event.type)
  assert.deepEqual([types[0], types.at(-1)], ['message_start', 'message_stop'])
  assert.equal(await stream.finalText(), 'one | two')
  assert.deepEqual(stream.messages.slice(0, -1).map(textOf), ['one', 'one', 'two'])
  assert.equal(thread.previousMessageId, 'msg_2')
  assert.equal(texts(await thread.send(say('three'))), 'one | two | three')
  assert.deepEqual(
    requests.map(({ stream, thread }) => [stream, thread?.type]),
    [
      [undefined, 'create'],
      [true, 'continue'],
      [true, 'create'],
      [undefined, 'continue'],
    ],
  )
})

test('a stream that breaks off leaves its text and a new thread', async () => {
  const { thread, requests, keeper } = begin()
  await thread.send(say('one'))
  const answer = keeper.answer
  keeper.answer = (heard, request) => ({ ...answer(heard, request), cutAfter: 3 })
  await assert.rejects(thread.stream(say('two')).done(), { name: 'APIStreamError' })
  keeper.answer = answer
  assert.equal(thread.previousMessageId, null)
  assert.deepEqual(thread.messages.map(textOf), ['one', 'one', 'two', 'one | two'])
  assert.equal(texts(await thread.send(say('three'))), 'one | two | three')
  assert.deepEqual(requests.at(-1)!.thread, { type: 'create' })
  assert.equal(requests.at(-1)!.messages.length, 5)
})

test('send() without messages repeats a turn whose reply broke off', async () => {
  const { thread, requests, keeper } = begin()
  const answer = keeper.answer
  keeper.answer = (heard, request) => ({ ...answer(heard, request), cutAfter: 3 })
  await assert.rejects(thread.stream(say('one')).done())
  keeper.answer = answer
  assert.equal(texts(await thread.send()), 'one')
  assert.deepEqual(requests[1]!.messages, [say('one')])
  assert.deepEqual(thread.messages.map(textOf), ['one', 'one'])
})

test('a reply that broke off keeps its complete blocks and its text', async () => {
  const { thread, keeper } = begin()
  const content: Message['content'] = [
    { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
    { type: 'tool_use', id: 'toolu_1', name: 'a', input: { city: 'Nara' } },
  ]
  keeper.answer = () => ({ content, cutAfter: 6 })
  await assert.rejects(thread.stream(say('one')).done())
  assert.deepEqual(thread.messages.at(-1)!.content, content.slice(0, 1))
})

test('an abort frees the thread at every stage of a stream', async () => {
  const { thread, keeper } = begin()
  const early = thread.stream(say('one'))
  early.abort()
  await assert.rejects(early.done(), { name: 'APIUserAbortError' })
  assert.equal(texts(await thread.send(say('two'))), 'two')

  const late = thread.stream(say('three'))
  for await (const event of late) if (event.type === 'content_block_delta') break
  await assert.rejects(late.done(), { name: 'APIUserAbortError' })
  assert.equal(thread.previousMessageId, null)
  assert.equal(texts(await thread.send(say('four'))), 'two | three | four')
  assert.equal(keeper.threads.size > 0, true)
})

test('a refusal is not kept, and a fallback reply begins a new thread', async () => {
  const { thread, requests, keeper } = begin()
  const answer = keeper.answer
  await thread.send(say('one'))
  keeper.answer = (heard, request) => ({ ...answer(heard, request), stop_reason: 'refusal' })
  assert.equal((await thread.send(say('bad'))).stop_reason, 'refusal')
  assert.deepEqual(thread.messages.map(textOf), ['one', 'one'])
  const iterations = [
    {
      type: 'fallback_message',
      input_tokens: 1,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 1,
    },
  ]
  keeper.answer = (heard, request) => ({ ...answer(heard, request), usage: { ...messageOf('', {}).usage, iterations } })
  assert.equal(texts(await thread.send(say('two'))), 'one | two')
  keeper.answer = answer
  assert.equal(texts(await thread.send(say('three'))), 'one | two | three')
  assert.deepEqual(
    requests.map(({ thread }) => thread?.type),
    ['create', 'continue', 'create', 'create'],
  )
})

test('a paused turn continues without a message, in the same container', async () => {
  const { thread, requests, keeper } = begin()
  const answer = keeper.answer
  const container = { id: 'container_1', expires_at: '2026-12-01T00:00:00Z' }
  keeper.answer = (heard, request) => ({ ...answer(heard, request), stop_reason: 'pause_turn', container })
  await thread.send(say('one'))
  keeper.answer = answer
  await thread.send()
  assert.deepEqual(requests[1]!.messages, [])
  assert.deepEqual(requests[1]!.thread, { type: 'continue', previous_message_id: 'msg_1' })
  assert.equal(requests[1]!.container, 'container_1')
})

test('a history that is sent again has no reply without content', async () => {
  const { thread, requests, keeper } = begin()
  const answer = keeper.answer
  keeper.answer = () => ({ content: [] })
  await thread.send(say('one'))
  keeper.answer = answer
  keeper.threads.clear()
  assert.equal(texts(await thread.send(say('two'))), 'one | two')
  assert.deepEqual(requests.at(-1)!.messages, [say('one'), say('two')])
})

test('toolRunner() over a thread sends only new messages', async () => {
  for (const stream of [false, true]) {
    const keeper = new ThreadKeeper()
    const { client, requests } = clientOf(keeper.engine)
    const weather = tool({
      name: 'weather',
      inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      run: ({ city }) => `sun in ${city}`,
    })
    keeper.answer = (heard) =>
      heard.at(-1) === '<tool_result>'
        ? { content: [{ type: 'text', text: heard.join(' | '), citations: null }] }
        : {
            content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Nara' } }],
            stop_reason: 'tool_use',
          }
    const thread = client.beta.messages.thread({ ...params, tools: [weather], messages: [say('one')] })
    const reply = await (stream ? thread.toolRunner({ stream }) : thread.toolRunner())
    assert.equal(texts(reply), 'one | <tool_result>')
    assert.equal(thread.messages.length, 4)
    assert.deepEqual(
      requests.map(({ thread, messages }) => [thread?.type, messages.length]),
      [
        ['create', 1],
        ['continue', 1],
      ],
    )
    keeper.answer = (heard) => ({ content: [{ type: 'text', text: heard.join(' | '), citations: null }] })
    assert.equal(texts(await thread.send(say('two'))), 'one | <tool_result> | two')

    const runner = client.beta.messages.toolRunner({
      ...params,
      thread: true,
      tools: [weather],
      messages: [say('three')],
      stream,
    })
    assert.equal(texts(await runner), 'three')
    assert.deepEqual(requests.at(-1)!.thread, { type: 'create' })
  }
})
