import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { attachJson } from '../../../protocol/codec/attached-json.ts'
import { Anthropic } from '../../client.ts'
import { encodeMessages, EncodedMessages } from './encoded-messages.ts'

test('encodeMessages() matches JSON.stringify() after any change in place', () => {
  const data = fc.jsonValue({ maxDepth: 3 })
  const change = fc.record({ kind: fc.constantFrom(...kinds), at: fc.nat(), name: fc.string(), value: data })
  fc.assert(
    fc.property(fc.array(data, { maxLength: 6 }), fc.array(fc.array(change, { maxLength: 4 })), (start, turns) => {
      const messages = structuredClone(start) as unknown[]
      const kept = new EncodedMessages()
      const sent: { pieces: readonly Uint8Array[]; json: string }[] = []
      for (const changes of [[], ...turns]) {
        for (const each of changes) changeInPlace(messages, each)
        sent.push({ pieces: kept.encode(messages)!, json: JSON.stringify(messages) })
        // The earlier requests too: one may still be in flight.
        for (const { pieces, json } of sent) assert.equal(text(pieces), json)
      }
    }),
    { numRuns: 500 },
  )
})

const kinds = ['push', 'insert', 'remove', 'replace', 'set a field', 'remove a field', 'turn fields around'] as const

interface Change {
  kind: (typeof kinds)[number]
  at: number
  name: string
  value: unknown
}

/** Changes the list or, somewhere below, an object or list in it. */
function changeInPlace(messages: unknown[], { kind, at, name, value }: Change): void {
  const copy = structuredClone(value)
  if (kind === 'push') messages.push(copy)
  else if (kind === 'insert') messages.splice(at % (messages.length + 1), 0, copy)
  else if (kind === 'remove') messages.splice(at % (messages.length + 1), 1)
  else if (kind === 'replace') messages[at % (messages.length + 1)] = copy
  else {
    const objects = [...objectsIn(messages)]
    const object = objects[at % objects.length] as Record<string, unknown> | undefined
    if (object === undefined) return
    const entries = Object.entries(object)
    if (kind === 'set a field') return put(object, entries[at % (entries.length + 1)]?.[0] ?? name, copy)
    if (Array.isArray(object)) return void object.splice(0, object.length, ...(object.toReversed() as unknown[]))
    for (const [key] of entries) delete object[key]
    if (kind === 'remove a field') entries.splice(at % (entries.length + 1), 1)
    else entries.reverse()
    for (const [key, item] of entries) put(object, key, item)
  }
}

function put(object: object, name: string, value: unknown): void {
  if (Array.isArray(object) && (!Object.hasOwn(object, name) || name === 'length')) object.push(value)
  // An assignment to `__proto__` would set the prototype.
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return
  yield value
  for (const item of Object.values(value)) yield* objectsIn(item)
}

test('encodeMessages() treats undefined fields and NaN as JSON.stringify() does', () => {
  const messages: unknown[] = [
    { role: 'user', content: 'a', cache_control: undefined },
    [undefined, NaN, -0],
    undefined,
  ]
  const kept = new EncodedMessages()
  for (let turn = 0; turn < 3; turn++) assert.equal(text(kept.encode(messages)!), JSON.stringify(messages))
})

test('encodeMessages() caches no list with a value that is not plain data', () => {
  class Own {
    role = 'user'
  }
  const around: { self?: unknown; again?: unknown } = {}
  around.self = around.again = around
  const others = [
    new Own(),
    { role: 'user', toJSON: () => 'x' },
    { at: new Date(0) },
    { text: Object('boxed') },
    { big: 1n },
    { call() {} },
    Object.create(null),
    around,
    attachJson({ role: 'user' }, '{"role":"user","exact":1.0}'),
  ]
  for (const other of others) {
    const kept = new EncodedMessages()
    assert.ok(kept.encode([{ role: 'user', content: 'a' }]))
    assert.equal(kept.encode([{ role: 'user', content: 'a' }, other]), undefined)
    assert.equal(kept.encode([{ role: 'user', content: [[other]] }]), undefined)
  }
  assert.equal(new EncodedMessages().encode(Object.assign([], { toJSON: () => 'x' })), undefined)
})

test('encodeMessages() reads a getter once per request', () => {
  let reads = 0
  const message = {
    get content() {
      return `read ${++reads}`
    },
  }
  const kept = new EncodedMessages()
  assert.equal(text(kept.encode([message])!), '[{"content":"read 1"}]')
  assert.equal(text(kept.encode([message])!), '[{"content":"read 3"}]')
})

test('EncodedMessages encodes and copies only new messages, in few pieces', () => {
  const messages = Array.from({ length: 2000 }, (_, index) => ({ role: 'user', content: `${index} `.repeat(100) }))
  const kept = new EncodedMessages()
  const [long] = kept.encode(messages)!
  for (let turn = 0; turn < 200; turn++) {
    messages.push({ role: 'user', content: 'more' })
    const pieces = kept.encode(messages)!
    assert.equal(pieces[0], long)
    assert.ok(pieces.length < 16, `${pieces.length} pieces`)
  }
  assert.equal(text(kept.encode(messages)!), JSON.stringify(messages))
})

test('encodeMessages() caches bytes from the second long body on, by first message', () => {
  const messages = [{ role: 'user', content: 'long '.repeat(30_000) }]
  assert.equal(typeof encodeMessages({ max_tokens: 1, messages }), 'string')
  messages.push({ role: 'assistant', content: 'Yes' })
  const [, second] = encodeMessages({ max_tokens: 1, messages }) as Uint8Array[]
  const [, third] = encodeMessages({
    max_tokens: 2,
    messages: [...messages, { role: 'user', content: 'So?' }],
  }) as Uint8Array[]
  assert.equal(third, second)
  assert.equal(typeof encodeMessages({ messages: structuredClone(messages) }), 'string')
  assert.equal(typeof encodeMessages({ messages: [{ role: 'user', content: 'short' }] }), 'string')
})

test('create() sends messages as they are after a change in place', async (t) => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString())
      response.setHeader('content-type', 'application/json').end('{"type":"message","content":[]}')
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new Anthropic({ apiKey: 'key', baseURL, maxRetries: 0 })
  const block = { type: 'text' as const, text: 'é'.repeat(60_000) }
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: [block] }]
  for (let turn = 0; turn < 5; turn++) {
    if (turn === 3) block.text = block.text.replace('é', 'e')
    const params = { model: 'claude-sonnet-4-6', max_tokens: 10, messages }
    await client.messages.create(params)
    assert.deepEqual(JSON.parse(bodies[turn]!), params)
    messages.push({ role: 'assistant', content: `Reply ${turn}` }, { role: 'user', content: 'And?' })
  }
})

function text(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString()
}
