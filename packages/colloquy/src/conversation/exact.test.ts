import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Anthropic } from '../client/client.ts'
import { type ConversationStore, memoryStore, openConversations } from './index.ts'
import { sqliteStore } from './stores/sqlite/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

const stores: Record<string, () => ConversationStore> = {
  memoryStore: () => memoryStore(),
  sqliteStore: () => sqliteStore(join(folder, `${++files}.db`)),
}

for (const [name, make] of Object.entries(stores)) {
  test(`a reply is sent back byte for byte as it arrived, through ${name} and HTTP`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 6 }), unit, async (some, question) => {
        // The thinking at the end of a reply is not sent back.
        const blocks = [...some.flat(), plainText('.')]
        const store = make()
        const { client, bodies } = recording([...eventsOf(blocks)], [...eventsOf([plainText('ok')])])
        const conversations = openConversations({ client, store })
        const conversation = await conversations.create({ model: 'm', max_tokens: 10 })
        await conversation.send(`.${question}`)
        const expected = `{"role":"assistant","content":[${blocks.map(({ json }) => json).join(',')}]}`
        assert.equal((await store.open(conversation.id))?.messages[1]?.json, expected)

        const lines = await Array.fromAsync(conversations.export(conversation.id))
        const copy = await conversations.import(lines.join('\n'))
        assert.equal((await store.open(copy.id))?.messages[1]?.json, expected)

        const again = await conversations.open(conversation.id)
        await again.send(blocks.some(({ isCall }) => isCall) ? results(blocks) : 'b')
        const first = JSON.stringify({ role: 'user', content: `.${question}` })
        assert.ok(bodies[1]?.includes(`"messages":[${first},${expected},{"role":"user"`), bodies[1])
        await store.close()
      }),
      { numRuns: 60 },
    )
  })
}

test('a reply that is continued by prefill keeps its blocks byte for byte', async () => {
  const found = '{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":{"10":1.0,"2":2}}'
  const asked = '{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}'
  const blocks = [asked, found].map(rawBlock)
  const cut = [...eventsOf([...blocks, plainText('one')])].slice(0, -2)
  const { client } = recording(cut, [...eventsOf([plainText(' two')])])
  const store = memoryStore()
  const conversations = openConversations({ client, store, recover: 0 })
  const conversation = await conversations.create({ model: 'claude-sonnet-4-5', max_tokens: 10 })
  await assert.rejects(conversation.send('count'))
  await conversation.continue()
  const text = '{"citations":null,"type":"text","text":"one two"}'
  const kept = (await store.open(conversation.id))?.messages.at(-1)?.json
  assert.equal(kept, `{"role":"assistant","content":[${asked},${found},${text}]}`)
})

test('a message of a request can be read through a Proxy', async () => {
  const read: unknown[] = []
  const conversations = openConversations({
    async *engine({ messages }) {
      for (const message of messages) read.push(new Proxy(message, {}).content)
      yield* [] as never[]
    },
  })
  const conversation = await conversations.create({ model: 'm', max_tokens: 10 })
  await assert.rejects(conversation.send('hi'))
  assert.deepEqual(read, ['hi'])
})

test('messages that were sent before are not parsed to be sent again', async () => {
  const { client } = recording(...Array.from({ length: 4 }, () => [...eventsOf([plainText('ok')])]))
  const conversations = openConversations({ client })
  const conversation = await conversations.create({ model: 'm', max_tokens: 10 })
  await conversation.send('first message')
  await conversation.send('second message')
  const again = await conversations.open(conversation.id)
  const { parse, stringify } = JSON
  const touched: string[] = []
  JSON.parse = (text: string, ...rest: []) => (touched.push(text), parse(text, ...rest)) as unknown
  JSON.stringify = (...args: [unknown]) => {
    const text = stringify(...args)
    touched.push(text)
    return text
  }
  try {
    await again.send('third message')
    await again.send('fourth message')
  } finally {
    Object.assign(JSON, { parse, stringify })
  }
  assert.ok(touched.some((text) => text?.includes('fourth message')))
  assert.deepEqual(
    touched.filter((text) => /first|second/.test(text ?? '')),
    [],
  )
})

/** A block of a reply: its events, as texts, and the JSON that must be sent back. */
interface Block {
  start: string
  deltas: string[]
  json: string
  isCall: boolean
  id?: string
}

// Any code units: halves of surrogate pairs, NUL, line separators.
const unit = fc.string({ unit: 'binary', maxLength: 30 })
const visible = unit.map((text) => `.${text}`)
const id = fc.uuid()

/** JSON as JSON.stringify() never writes it: with spaces, long numbers, numeric keys and repeated keys. */
const rawObject: fc.Arbitrary<string> = fc.letrec<{ object: string; value: string }>((tie) => ({
  object: fc
    .array(fc.tuple(fc.oneof(unit, fc.constantFrom('10', '2', 'a')), tie('value'), fc.constantFrom('', ' ', '\n\t')), {
      maxLength: 3,
    })
    .map(
      (members) =>
        `{${members.map(([key, value, space]) => `${space}${JSON.stringify(key)}:${space}${value}${space}`).join(',')}}`,
    ),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('1.0', '12345678901234567890', '1e400', '-0', '0.1e-7', 'null', 'true', '[ ]', '"\\u0041\\/"'),
    unit.map((text) => JSON.stringify(text)),
    tie('object'),
    fc.array(tie('value'), { maxLength: 2 }).map((items) => `[${items.join(' , ')}]`),
  ),
})).object

/** A block, or a call of one of the API's own tools and its result. */
const block: fc.Arbitrary<Block | Block[]> = fc.oneof(
  visible.chain((text) => cut(text).map((pieces) => textBlock(text, pieces, null))),
  fc
    .tuple(visible, fc.array(rawObject, { minLength: 1, maxLength: 2 }))
    .map(([text, citations]) => textBlock(text, [text], citations)),
  fc.tuple(id, rawObject, fc.boolean()).chain(([uuid, input, hasCaller]) =>
    cut(input).map((pieces) => {
      const before = { type: 'tool_use', id: uuid, name: 'tool' }
      const caller = hasCaller ? { caller: { type: 'direct' } } : {}
      const deltas = ['', ...pieces].map((partial_json) => JSON.stringify({ type: 'input_json_delta', partial_json }))
      const rest = hasCaller ? ',"caller":{"type":"direct"}' : ''
      const json = `{"type":"tool_use","id":"${uuid}","name":"tool","input":${input}${rest}}`
      return { start: JSON.stringify({ ...before, input: {}, ...caller }), deltas, json, isCall: true, id: uuid }
    }),
  ),
  fc.record({ type: fc.constant('redacted_thinking'), data: unit }).map(wholeBlock),
  fc.record({ type: fc.constant('compaction'), content: visible, encrypted_content: unit }).map(wholeBlock),
  fc
    .tuple(id, rawObject)
    .map(([uuid, content]) => [
      wholeBlock({ type: 'server_tool_use', id: uuid, name: 'web_search', input: {} }),
      rawBlock(`{"type":"web_search_tool_result","tool_use_id":"${uuid}","content":${content}}`),
    ]),
  fc.tuple(unit, rawObject).map(([b, a]) => rawBlock(`{"type":"block_of_tomorrow","b":${JSON.stringify(b)},"a":${a}}`)),
  fc.tuple(unit, unit).chain(([thinking, signature]) =>
    cut(thinking).map((pieces) => ({
      start: JSON.stringify({ type: 'thinking', thinking: '', signature: '' }),
      deltas: [
        ...pieces.map((piece) => ({ type: 'thinking_delta', thinking: piece })),
        { type: 'signature_delta', signature },
      ].map((delta) => JSON.stringify(delta)),
      json: JSON.stringify({ type: 'thinking', thinking, signature }),
      isCall: false,
    })),
  ),
)

/** Cuts a text anywhere, also between the halves of a surrogate pair. */
function cut(text: string): fc.Arbitrary<string[]> {
  return fc.array(fc.nat(text.length), { maxLength: 3 }).map((places) => {
    const ends = [...new Set([0, ...places, text.length])].toSorted((a, b) => a - b)
    return ends.slice(1).map((end, index) => text.slice(ends[index], end))
  })
}

/** @param citations JSON objects. */
function textBlock(text: string, pieces: string[], citations: readonly string[] | null): Block {
  return {
    start: JSON.stringify({ citations: citations && [], type: 'text', text: '' }),
    deltas: [
      ...(citations ?? []).map((citation) => `{"type":"citations_delta","citation":${citation}}`),
      ...pieces.map((piece) => JSON.stringify({ type: 'text_delta', text: piece })),
    ],
    json: `{"citations":${citations && `[${citations.join(',')}]`},"type":"text","text":${JSON.stringify(text)}}`,
    isCall: false,
  }
}

function plainText(text: string): Block {
  return textBlock(text, [text], null)
}

function wholeBlock(whole: object): Block {
  return rawBlock(JSON.stringify(whole))
}

function rawBlock(json: string): Block {
  return { start: json, deltas: [], json, isCall: false }
}

/** The events of a reply as the texts that a server may write. */
function* eventsOf(blocks: readonly Block[]): Generator<string> {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  }
  yield JSON.stringify({ type: 'message_start', message })
  for (const [index, { start, deltas }] of blocks.entries()) {
    yield `{"type":"content_block_start","index":${index},"content_block":${start}}`
    for (const delta of deltas) yield `{"type":"content_block_delta","index":${index},"delta":${delta}}`
    yield JSON.stringify({ type: 'content_block_stop', index })
  }
  const stop_reason = blocks.some(({ isCall }) => isCall) ? 'tool_use' : 'end_turn'
  yield JSON.stringify({
    type: 'message_delta',
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: 5 },
  })
  yield '{"type":"message_stop"}'
}

function results(blocks: readonly Block[]): { type: 'tool_result'; tool_use_id: string }[] {
  return blocks
    .filter(({ isCall }) => isCall)
    .map(({ id: tool_use_id }) => ({ type: 'tool_result', tool_use_id: tool_use_id! }))
}

/** A client whose server streams these replies, one per request, and the bodies that reached the server. */
function recording(...replies: string[][]): { client: Anthropic; bodies: string[] } {
  const bodies: string[] = []
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://colloquy.local',
    async fetch(...args: Parameters<typeof fetch>) {
      const request = new Request(...args)
      bodies.push(await request.text())
      const body = replies[bodies.length - 1]!.map((event) => `data: ${event.replaceAll('\n', '\ndata: ')}\n\n`).join(
        '',
      )
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  return { client, bodies }
}
