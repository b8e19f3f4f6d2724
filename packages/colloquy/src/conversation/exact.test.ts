import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Anthropic } from '../client/client.ts'
import type { MessageStreamEvent } from '../protocol/event.ts'
import { encodeSse } from '../protocol/sse.ts'
import { type ConversationStore, memoryStore, openConversations } from './index.ts'
import { sqliteStore } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

const stores: Record<string, () => ConversationStore> = {
  memoryStore: () => memoryStore(),
  sqliteStore: () => sqliteStore(join(folder, `${++files}.db`)),
}

for (const [name, make] of Object.entries(stores)) {
  test(`a reply goes back byte for byte as it came, through ${name} and the wire`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(block, { maxLength: 6 }), unit, async (some, question) => {
        // What ends in thinking does not go back whole.
        const blocks = [...some, plainText('.')]
        const store = make()
        const { client, bodies } = recording([...eventsOf(blocks)], [...eventsOf([plainText('ok')])])
        const conversations = openConversations({ client, store })
        const conversation = await conversations.create({ model: 'm', max_tokens: 10 })
        await conversation.send(`.${question}`)
        const expected = `{"role":"assistant","content":[${blocks.map(({ json }) => json).join(',')}]}`
        assert.equal((await store.open(conversation.id))?.messages[1]?.json, expected)

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

test('what was sent before is not read again to be sent', async () => {
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

/** A block of a reply: the events that carry it, and the JSON that must go back. */
interface Block {
  start: object
  deltas: { type: string }[]
  json: string
  isCall: boolean
  id?: string
}

// Any code units: halves of surrogate pairs, NUL, line separators.
const unit = fc.string({ unit: 'binary', maxLength: 30 })
const visible = unit.map((text) => `.${text}`)
const id = fc.uuid()

/** A JSON text as no JSON.stringify() writes it: spaces, long numbers, keys that are numbers, keys twice. */
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

const block: fc.Arbitrary<Block> = fc.oneof(
  visible.chain((text) => cut(text).map((pieces) => textBlock(text, pieces, null))),
  fc
    .tuple(
      visible,
      fc.array(fc.record({ type: fc.constant('char_location'), cited_text: unit }), { minLength: 1, maxLength: 2 }),
    )
    .map(([text, citations]) => textBlock(text, [text], citations)),
  fc.tuple(id, rawObject, fc.boolean()).chain(([uuid, input, hasCaller]) =>
    cut(input).map((pieces) => {
      const before = { type: 'tool_use', id: uuid, name: 'tool' }
      const caller = hasCaller ? { caller: { type: 'direct' } } : {}
      const deltas = ['', ...pieces].map((partial_json) => ({ type: 'input_json_delta', partial_json }))
      const rest = hasCaller ? ',"caller":{"type":"direct"}' : ''
      const json = `{"type":"tool_use","id":"${uuid}","name":"tool","input":${input}${rest}}`
      return { start: { ...before, input: {}, ...caller }, deltas, json, isCall: true, id: uuid }
    }),
  ),
  fc.record({ type: fc.constant('redacted_thinking'), data: unit }).map(wholeBlock),
  fc.record({ type: fc.constant('compaction'), content: visible, encrypted_content: unit }).map(wholeBlock),
  fc
    .record({ type: fc.constant('block_of_tomorrow'), b: unit, a: fc.record({ z: fc.double(), y: unit }) })
    .map(wholeBlock),
  fc.tuple(unit, unit).chain(([thinking, signature]) =>
    cut(thinking).map((pieces) => ({
      start: { type: 'thinking', thinking: '', signature: '' },
      deltas: [
        ...pieces.map((piece) => ({ type: 'thinking_delta', thinking: piece })),
        { type: 'signature_delta', signature },
      ],
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

function textBlock(text: string, pieces: string[], citations: object[] | null): Block {
  return {
    start: { citations: citations && [], type: 'text', text: '' },
    deltas: [
      ...(citations ?? []).map((citation) => ({ type: 'citations_delta', citation })),
      ...pieces.map((piece) => ({ type: 'text_delta', text: piece })),
    ],
    json: JSON.stringify({ citations, type: 'text', text }),
    isCall: false,
  }
}

function plainText(text: string): Block {
  return textBlock(text, [text], null)
}

function wholeBlock(whole: object): Block {
  return { start: whole, deltas: [], json: JSON.stringify(whole), isCall: false }
}

function* eventsOf(blocks: readonly Block[]): Generator<MessageStreamEvent> {
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
  yield { type: 'message_start', message } as unknown as MessageStreamEvent
  for (const [index, { start, deltas }] of blocks.entries()) {
    yield { type: 'content_block_start', index, content_block: start } as MessageStreamEvent
    for (const delta of deltas) yield { type: 'content_block_delta', index, delta } as unknown as MessageStreamEvent
    yield { type: 'content_block_stop', index }
  }
  const stop_reason = blocks.some(({ isCall }) => isCall) ? 'tool_use' : 'end_turn'
  yield { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 5 } }
  yield { type: 'message_stop' }
}

function results(blocks: readonly Block[]): { type: 'tool_result'; tool_use_id: string }[] {
  return blocks
    .filter(({ isCall }) => isCall)
    .map(({ id: tool_use_id }) => ({ type: 'tool_result', tool_use_id: tool_use_id! }))
}

/** A client whose server streams these replies, one a request, and what bodies reached it. */
function recording(...replies: MessageStreamEvent[][]): { client: Anthropic; bodies: string[] } {
  const bodies: string[] = []
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://colloquy.local',
    async fetch(...args: Parameters<typeof fetch>) {
      const request = new Request(...args)
      bodies.push(await request.text())
      const body = replies[bodies.length - 1]!.map(encodeSse).join('')
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  return { client, bodies }
}
