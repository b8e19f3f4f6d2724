import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after as afterAll, describe, test } from 'node:test'
import fc from 'fast-check'
import { until } from '../../../../../../test/until.ts'
import { script, type ScriptedReply, type Step } from '../../../engines/script.ts'
import { accumulate } from '../../../protocol/codec/accumulate.ts'
import { replay } from '../../../protocol/codec/replay.ts'
import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import type { ContentBlock, Message } from '../../../protocol/types/message.ts'
import { tool } from '../../../tools/tool.ts'
import { type Conversations, openConversations } from '../../collection/conversations.ts'
import { type ReadTurnOptions, readTurn, TurnResponseError } from '../../reader/index.ts'
import { memoryStore } from '../../stores/memory/store.ts'
import { sqliteStore } from '../../stores/sqlite/store.ts'
import { eventsAfter, type PlacedEvent } from './events-after.ts'
import { decodePosition, encodePosition, type Position } from './position.ts'
import type { TurnEvent } from './turn-event.ts'

const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'look', input: {} }
const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

/** Two programs on one SQLite file, each with an engine of its own. */
function twoPrograms(steps: ReadonlyArray<ScriptedReply | Step>): { one: Conversations; two: Conversations } {
  const path = join(folder, `${++files}.db`)
  const open = (): Conversations =>
    openConversations({ engine: script(steps), store: sqliteStore(path), journalMs: 10 })
  return { one: open(), two: open() }
}

function inMemory(steps: ReadonlyArray<ScriptedReply | Step>): Conversations {
  return openConversations({ engine: script(steps), store: memoryStore() })
}

const blocks: fc.Arbitrary<ContentBlock[]> = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => ({ type: 'text' as const, text, citations: null })),
    fc.string().map((thinking) => ({ type: 'thinking' as const, thinking, signature: 'sig' })),
    fc
      .dictionary(fc.string(), fc.string(), { noNullPrototype: true })
      .map((input) => ({ type: 'tool_use' as const, id: 't', name: 'n', input })),
  ),
  { maxLength: 4 },
)

function messageOf(content: ContentBlock[]): Message {
  const usage = { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }
  const about = { id: 'msg_1', model: 'm', stop_reason: 'end_turn', stop_sequence: null, usage } as const
  return { type: 'message', role: 'assistant', content, ...about }
}

async function* turnOf(events: Iterable<MessageStreamEvent>): AsyncGenerator<TurnEvent> {
  yield { type: 'step_start', conversationId: 'c', messageId: '2', parentId: '1' }
  yield* events
  yield { type: 'turn_end', stopped: false, error: null }
}

function streamed(placed: readonly PlacedEvent[]): MessageStreamEvent[] {
  return placed
    .map(({ event }) => event)
    .filter((event) => event.type !== 'step_start' && event.type !== 'turn_end') as MessageStreamEvent[]
}

test('eventsAfter() continues after every event, however the rest is cut', async () => {
  const size = fc.integer({ min: 1, max: 30 })
  const run = async (content: ContentBlock[], one: number, other: number): Promise<void> => {
    const message = messageOf(content)
    const cutBy = (length: number): Generator<MessageStreamEvent> =>
      replay(message, { cut: (text) => text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [] })
    const all = await Array.fromAsync(eventsAfter(turnOf(cutBy(one)), undefined))
    for (const [index, { position }] of all.entries()) {
      const place = decodePosition(encodePosition(position!))
      assert.deepEqual(place, position)
      const rest = await Array.fromAsync(eventsAfter(turnOf(cutBy(other)), place))
      const both = [...streamed(all.slice(0, index + 1)), ...(index === all.length - 1 ? [] : streamed(rest))]
      assert.deepEqual(await accumulate(both), message)
    }
  }
  await fc.assert(fc.asyncProperty(blocks, size, size, run), { numRuns: 30 })
})

test('decodePosition() returns undefined for other texts', () => {
  for (const text of ['', '1', '1.2', '0.1.1', '1.1.1.1', '1.x.1', '1.end.1', '-1.1.1', `1.${'9'.repeat(16)}.1`])
    assert.equal(decodePosition(text), undefined, text)
  assert.deepEqual(decodePosition('4.end'), { reply: '4', end: true } satisfies Position)
})

test('turn.stream has the steps, the events and the end, and does not throw', async () => {
  const conversations = inMemory([
    'Hello there.',
    { reply: 'Half a reply', after: 3, error: { type: 'overloaded_error' } },
  ])
  const conversation = await conversations.create(settings)
  const events = await Array.fromAsync(conversation.send('hello').stream)
  const [start, end, last] = [events[0], events.at(-2), events.at(-1)]
  assert.deepEqual(start, { type: 'step_start', conversationId: conversation.id, messageId: '2', parentId: '1' })
  assert.ok(end?.type === 'step_end')
  assert.deepEqual([end.message.id, end.message.state, end.message.stopReason], ['2', 'committed', 'end_turn'])
  assert.equal(typeof end.message.createdAt, 'string')
  assert.deepEqual(last, { type: 'turn_end', stopped: false, error: null })
  const failed = await Array.fromAsync(conversation.send('and?').stream)
  const ended = failed.at(-1)
  assert.ok(ended?.type === 'turn_end')
  assert.deepEqual([ended.stopped, ended.error?.type], [false, 'overloaded_error'])
})

test('toResponse() answers with an error and its status if the turn does not begin', async () => {
  const conversation = await inMemory([]).create({ ...settings, budget: { usd: 0.0001 } })
  const refused = [
    { response: await conversation.send(' ').toResponse(), status: 400, type: 'invalid_request_error' },
    { response: await conversation.send('hello').toResponse(), status: 402, type: 'billing_error' },
    { response: await conversation.retry('9').toResponse(), status: 404, type: 'not_found_error' },
  ]
  for (const { response, status, type } of refused) {
    assert.equal(response.status, status)
    await assert.rejects(
      Array.fromAsync(readTurn(response)),
      (error) => error instanceof TurnResponseError && error.type === type && error.status === status,
    )
  }
})

test('toResponse() pings while nothing arrives', async () => {
  const conversation = await inMemory([{ reply: 'Hello.', delayMs: 60 }]).create(settings)
  const text = await (await conversation.send('hello').toResponse({ pingMs: 10 })).text()
  assert.match(text, /event: ping\ndata: \{"type":"ping"\}\n\n/)
  assert.match(text, /event: turn_end/)
})

describe('a turn of another program on the same file', () => {
  const slow: Step = { reply: 'One two three four five six seven eight nine ten.', eventDelayMs: 60 }

  test('resume() follows it while it arrives, and to its end', async () => {
    const { one, two } = twoPrograms([slow])
    const conversation = await one.create(settings)
    const turn = conversation.send('count')
    for await (const _ of turn.text) break
    const reader = readTurn(two.resume(conversation.id))
    const texts = await Array.fromAsync(reader.text)
    assert.equal(texts.join(''), slow.reply)
    assert.ok(texts.length > 1, 'it arrived in parts')
    assert.deepEqual([reader.message?.state, reader.end?.error], ['committed', null])
    await turn
    assert.equal((await two.resume(conversation.id)).status, 204)
  })

  test('stop() ends it, and keeps its text', async () => {
    const { one, two } = twoPrograms([{ reply: 'One two three', after: 3, stall: true }])
    const conversation = await one.create(settings)
    const turn = conversation.send('count')
    for await (const _ of turn.text) break
    assert.equal(await two.stop(conversation.id), true)
    await assert.rejects(turn, { name: 'APIUserAbortError' })
    const stopped = (await two.open(conversation.id)).messages.at(-1)
    assert.equal(stopped?.state, 'interrupted')
    assert.notEqual(stopped?.content.length, 0)
    assert.equal(await two.stop(conversation.id), false)
  })

  test('stop() ends it though its steps are too short for a journal', async () => {
    const { one, two } = twoPrograms([{ reply: { content: [call] }, times: 60 }])
    const conversation = await one.create(settings)
    const { promise: hasStarted, resolve: start } = Promise.withResolvers<void>()
    let calls = 0
    const run = (): string => {
      if (++calls === 2) start()
      return 'looked'
    }
    const look = tool({ name: 'look', description: 'Looks.', inputSchema: { type: 'object', properties: {} }, run })
    const turn = conversation.send('look around', { tools: [look], toolOptions: { maxRounds: 60 } })
    turn.catch(() => {})
    await hasStarted
    assert.equal(await two.stop(conversation.id), true)
    await assert.rejects(turn, { name: 'APIUserAbortError' })
    assert.ok(calls < 50, `it made ${calls} of 60 calls`)
  })

  test('resume() after it was stopped says so', async () => {
    const { one, two } = twoPrograms([{ reply: 'One two three', after: 3, stall: true }])
    const conversation = await one.create(settings)
    const reader = readTurn(conversation.send('count').toResponse())
    for await (const _ of reader.text) break
    await one.stop(conversation.id)
    const request = new Request('http://x/', { headers: { 'last-event-id': reader.lastEventId! } })
    const rest = await Array.fromAsync(readTurn(two.resume(conversation.id, { request })))
    assert.deepEqual(
      rest.map(({ type }) => type),
      ['step_end', 'turn_end'],
    )
    assert.deepEqual(rest.at(-1), { type: 'turn_end', stopped: true, error: null })
  })

  test('changes() tells of new conversations, turns, titles and deletions', async () => {
    const { one, two } = twoPrograms([slow])
    const controller = new AbortController()
    const seen: string[] = []
    const isReady = Promise.withResolvers<void>()
    const watching = (async () => {
      for await (const change of two.changes({ pollMs: 5, signal: controller.signal })) {
        if (change.type === 'ready') isReady.resolve()
        else if (change.type === 'deleted') seen.push('deleted')
        else seen.push(`${change.conversation.title} ${change.conversation.receiving}`)
        if (change.type === 'deleted') return
      }
    })()
    await isReady.promise
    const conversation = await one.create(settings)
    const seenNow = async (entry: string): Promise<void> => {
      while (!seen.includes(entry)) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await seenNow('undefined undefined')
    const turn = conversation.send('count')
    await seenNow('count 2')
    await turn
    await seenNow('count undefined')
    await conversation.rename('Numbers')
    await seenNow('Numbers undefined')
    await one.delete(conversation.id)
    await watching
    assert.equal(seen.at(-1), 'deleted')
    controller.abort()
  })

  test('an owner sees only its own turns and changes', async () => {
    const { one } = twoPrograms(['Hello.'])
    const { id } = await one.create({ ...settings, owner: 'ada' })
    await assert.rejects(one.resume(id, { owner: 'bob' }), { name: 'ConversationNotFoundError' })
    await assert.rejects(one.stop(id, { owner: 'bob' }), { name: 'ConversationNotFoundError' })
    await assert.rejects(Array.fromAsync(one.follow(id, { owner: 'bob' })), { name: 'ConversationNotFoundError' })
    assert.equal((await one.resume(id, { owner: 'ada' })).status, 204)
  })
})

test('a program that dies leaves its text, and the reader learns that it ended', async () => {
  let now = 0
  const path = join(folder, 'dead.db')
  const steps = [{ reply: 'One two three', after: 4, stall: true }]
  const store = sqliteStore(path, { leaseMs: 300, now: () => now })
  const dying = openConversations({ engine: script(steps), store, journalMs: 5 })
  const conversation = await dying.create(settings)
  const reader = readTurn(conversation.send('count').toResponse())
  for await (const _ of reader.text) break
  const elsewhere = sqliteStore(path, { leaseMs: 300, now: () => now })
  const isWritten = async (): Promise<boolean> => (await elsewhere.received(conversation.id, 2, 0))?.parts.length !== 0
  await until(isWritten)
  const other = openConversations({ engine: script([]), store: elsewhere })
  const rest = Array.fromAsync(other.follow(conversation.id, { after: reader.lastEventId! }))
  // No sign of life for longer than the lease.
  now = 10_000
  const end = (await rest).at(-1)
  assert.ok(end?.type === 'turn_end')
  assert.match(end.error?.message ?? '', /process that received the reply ended/)
  assert.equal((await other.open(conversation.id)).messages.at(-1)?.state, 'interrupted')
  await dying.stop(conversation.id)
})

describe('readTurn()', () => {
  const city = tool({
    name: 'city',
    inputSchema: { type: 'object', properties: {} },
    run: async () => new Promise<string>((resolve) => setTimeout(resolve, 20, 'Kyoto')),
  })
  const steps: ScriptedReply[] = [
    {
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 'Which city?', signature: 'sig' },
        { type: 'text', text: 'I look it up.', citations: null },
        { type: 'tool_use', id: 't1', name: 'city', input: { country: 'Japan', 'a "b"': [1, 2] } },
      ],
    },
    'It is Kyoto, the old capital.',
  ]

  /** A response whose connection breaks off after some bytes. */
  function cut(response: Response, bytes: number): Response {
    let left = bytes
    const limit = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (left > 0) controller.enqueue(chunk.slice(0, left))
        left -= chunk.length
        if (left <= 0) controller.terminate()
      },
    })
    return new Response(response.body!.pipeThrough(limit), { headers: response.headers })
  }

  test('misses nothing when the connection breaks at any byte, again and again', async () => {
    const expected = 'I look it up.\n\nIt is Kyoto, the old capital.'
    const run = async (first: number, later: number): Promise<void> => {
      const conversations = inMemory(steps)
      const conversation = await conversations.create(settings)
      const turn = conversation.send('Which?', { tools: [city] })
      let connections = 0
      const options: ReadTurnOptions = {
        maxRetries: 3,
        async resume(lastEventId) {
          connections++
          const headers = new Headers(lastEventId === undefined ? {} : { 'last-event-id': lastEventId })
          const request = new Request('http://x/', { headers })
          return cut(await conversations.resume(conversation.id, { request }), later)
        },
      }
      const reader = readTurn(cut(await turn.toResponse(), first), options)
      const texts = await Array.fromAsync(reader.text)
      assert.equal(texts.join(''), expected, `cut at ${first}, then at ${later}, ${connections} times`)
      assert.deepEqual([reader.message?.state, reader.end?.error], ['committed', null])
      await turn
    }
    const bytes = fc.integer({ min: 1, max: 3_000 })
    // A piece must hold at least one event, or there is no progress.
    await fc.assert(fc.asyncProperty(bytes, fc.integer({ min: 1_500, max: 4_000 }), run), { numRuns: 25 })
  })

  test('shows the message as it arrives, and in the end as it is recorded', async () => {
    const conversation = await inMemory(steps).create(settings)
    const reader = readTurn(conversation.send('Which?', { tools: [city] }).toResponse())
    let before: unknown
    for await (const event of reader) {
      if (event.type === 'message_stop') before = structuredClone(reader.message?.content)
      if (event.type === 'step_end') assert.deepEqual(event.message.content, before)
    }
    assert.equal(reader.message?.id, '4')
    assert.equal(reader.lastEventId, '4.end')
  })

  test('continues a reply that a model with prefill continues', async () => {
    const model = 'claude-sonnet-4-5'
    const conversation = await inMemory([{ content: 'The first ', stop_reason: 'max_tokens' }, ' half.']).create({
      ...settings,
      model,
    })
    await conversation.send('hello')
    const reader = readTurn(conversation.continue().toResponse())
    let arrived: unknown
    for await (const event of reader)
      if (event.type === 'message_stop') arrived = structuredClone(reader.message?.content)
    assert.deepEqual(arrived, reader.message?.content)
  })

  test('gives up when nothing more arrives, unless it may reconnect', async () => {
    const conversation = await inMemory([{ reply: 'One two three', after: 3, stall: true }]).create(settings)
    const turn = conversation.send('count')
    const response = await turn.toResponse({ pingMs: 60_000 })
    await assert.rejects(Array.fromAsync(readTurn(response, { silenceMs: 30 })), /silent/)
    turn.abort()
    await turn.catch(() => {})
  })

  test('reading nothing of a 204', async () => {
    assert.deepEqual(await Array.fromAsync(readTurn(new Response(null, { status: 204 }))), [])
  })

  test('abort of its signal ends the reading, and not the turn', async () => {
    const conversation = await inMemory([{ reply: 'One two three', eventDelayMs: 10 }]).create(settings)
    const turn = conversation.send('count')
    const controller = new AbortController()
    const reader = readTurn(turn.toResponse(), { signal: controller.signal })
    await assert.rejects(
      async () => {
        for await (const _ of reader.text) controller.abort()
      },
      { name: 'AbortError' },
    )
    assert.equal((await turn).text, 'One two three')
  })
})
