import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeJson } from '../../protocol/codec/attached-json.ts'
import { History } from './history.ts'
import { newRecord } from './records.ts'

const said = { type: 'text', text: 'I search.' }
const search = (id: string) => ({ type: 'server_tool_use', id, name: 'web_search', input: {} })
const found = (id: string) => ({ type: 'web_search_tool_result', tool_use_id: id, content: [] })
const look = { type: 'tool_use', id: 'look', name: 'look', input: {} }
const looked = { type: 'tool_result', tool_use_id: 'look' }
const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }
const and = { type: 'text', text: 'And?' }

type Message = readonly object[]

/** Each message is a list of blocks; those of the user and the assistant take turns unless the block says otherwise. */
const cases: { what: string; given: Message[]; sent: Message[] }[] = [
  {
    what: 'a call at the end, which the API still runs',
    given: [[and], [said, search('1')]],
    sent: [[and], [said, search('1')]],
  },
  {
    what: 'a call whose result is in the reply that continues',
    given: [[and], [search('1')], [found('1'), said], [and]],
    sent: [[and], [search('1')], [found('1'), said], [and]],
  },
  {
    what: 'no call that the user went on without',
    given: [[and], [said, search('1')], [and]],
    sent: [[and], [said], [and]],
  },
  {
    what: 'one of two calls, if the reply that continued was cut off',
    given: [[and], [search('1'), search('2')], [found('1')], [and]],
    sent: [[and], [search('1')], [found('1')], [and]],
  },
  { what: 'no thinking before such a call', given: [[and], [thinking, search('1')], [and]], sent: [[and], [and]] },
  {
    what: 'a call beside one of the caller, whose results come first',
    given: [[and], [search('1'), look], [looked], [found('1')], [and]],
    sent: [[and], [search('1'), look], [looked], [found('1')], [and]],
  },
  {
    what: 'such a call while the next reply has not come',
    given: [[and], [search('1'), look], [looked], [and]],
    sent: [[and], [search('1'), look], [looked], [and]],
  },
  {
    what: 'no such call if the next reply is without its result',
    given: [[and], [search('1'), look], [looked], [said], [and]],
    sent: [[and], [look], [looked], [said], [and]],
  },
]

for (const { what, given, sent } of cases) {
  test(`a history sends ${what}`, () => {
    const history = new History()
    const sentOf = (messages: readonly object[]) => JSON.parse(text(messages)) as { role: string; content: Message }[]
    for (const [index, content] of given.entries()) {
      const role = isReply(content) ? 'assistant' : 'user'
      history.push(
        newRecord({ number: index + 1, parent: index, role, createdAt: 0, json: JSON.stringify({ role, content }) }),
      )
      // Each request is sent, and its bytes are kept for the next one.
      assert.deepEqual(sentOf(history.sent), JSON.parse(JSON.stringify(history.toSend)))
    }
    assert.deepEqual(
      sentOf(history.sent).map(({ content }) => content),
      sent,
    )
    assert.deepEqual(sentOf(new History([...history.records]).sent), sentOf(history.sent))
  })
}

function isReply(content: Message): boolean {
  return !content.some((block) => block === and || block === looked)
}

function text(messages: readonly object[]): string {
  const body = encodeJson({ messages })
  const json = typeof body === 'string' ? body : Buffer.concat(body).toString()
  return JSON.stringify((JSON.parse(json) as { messages: unknown }).messages)
}
