import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeJson, attachJson } from './attached-json.ts'

const exact = '{"role":"assistant","content":[{"type":"tool_use","input":{ "10":1.0, "2":12345678901234567890 }}]}'

test('encodeJson() sends messages with attached JSON as they were received', () => {
  const messages = attachJson([JSON.parse(exact)], () => pieces('[', exact, ']'))
  assert.equal(
    text(encodeJson({ model: 'm', messages, max_tokens: 5 })),
    `{"model":"m","max_tokens":5,"messages":[${exact}]}`,
  )
  assert.equal(text(encodeJson({ messages })), `{"messages":[${exact}]}`)
})

test('encodeJson() sends one message with attached JSON as it was received', () => {
  const message = Object.freeze(attachJson(JSON.parse(exact) as object, exact))
  const other = { role: 'user', content: 'é' }
  assert.equal(
    text(encodeJson({ messages: [other, message, other] })),
    `{"messages":[${JSON.stringify(other)},${exact},${JSON.stringify(other)}]}`,
  )
})

test('a copy does not carry attached JSON', () => {
  const message = Object.freeze(attachJson({ role: 'user', content: 'a' }, exact))
  const messages = attachJson([message], () => pieces('[]'))
  assert.equal(
    text(encodeJson({ messages: [{ ...message, content: 'b' }] })),
    '{"messages":[{"role":"user","content":"b"}]}',
  )
  assert.equal(text(encodeJson({ messages: [...messages] })), `{"messages":[${exact}]}`)
})

test('encodeJson() sends a changed list as it is, with the attached JSON of its messages', () => {
  const message = Object.freeze(attachJson(JSON.parse(exact) as object, exact))
  const messages = [message]
  attachJson(messages, () => (messages.length === 1 ? pieces('[1]') : undefined))
  assert.equal(text(encodeJson({ messages })), '{"messages":[1]}')
  messages.push({ role: 'user' })
  assert.equal(text(encodeJson({ messages })), `{"messages":[${exact},{"role":"user"}]}`)
})

test('encodeJson() equals JSON.stringify() without attached JSON', () => {
  const body = fc.record(
    { model: fc.string(), messages: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()) },
    { requiredKeys: [] },
  )
  fc.assert(fc.property(body, (value) => assert.equal(encodeJson(value), JSON.stringify(value))))
})

test('encodeJson() keeps a field named __proto__ beside attached JSON', () => {
  const message = Object.freeze(attachJson(JSON.parse(exact) as object, exact))
  const body = JSON.parse('{"__proto__":{"a":1},"model":"m"}') as object
  assert.equal(
    text(encodeJson({ ...body, messages: [message] })),
    `{"__proto__":{"a":1},"model":"m","messages":[${exact}]}`,
  )
})

test('encodeJson() encodes the same value as JSON.stringify(), whichever messages have JSON', () => {
  const messages = fc.array(fc.tuple(fc.record({ role: fc.string(), content: fc.jsonValue() }), fc.boolean()))
  fc.assert(
    fc.property(messages, fc.dictionary(fc.string(), fc.jsonValue()), (list, rest) => {
      const body = {
        ...rest,
        messages: list.map(([message, hasAttachedJson]) =>
          hasAttachedJson ? attachJson({ ...message }, JSON.stringify(message)) : message,
        ),
      }
      assert.deepEqual(JSON.parse(text(encodeJson(body))), JSON.parse(JSON.stringify(body)))
    }),
  )
})

function pieces(...texts: string[]): Uint8Array[] {
  return texts.map((each) => new TextEncoder().encode(each))
}

function text(json: string | readonly Uint8Array[]): string {
  return typeof json === 'string' ? json : json.map((piece) => new TextDecoder().decode(piece)).join('')
}
