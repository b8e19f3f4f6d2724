import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { MessageParam } from '../../protocol/types/params.ts'
import { copyPath, newRecord } from '../history/records.ts'
import { collected, type Pausable } from '../in-slices.ts'
import { readGivenMessages } from './given-messages.ts'
import { readConversations } from './import.ts'

const length = 200
const word = 'A sentence of forty characters, with a ".'
const texts = Array.from({ length }, (_, index) => `${index} ${word.repeat(10)}`)
const roleOf = (index: number): 'user' | 'assistant' => (index % 2 === 0 ? 'user' : 'assistant')
const messages = texts.map((text, index): MessageParam => ({
  role: roleOf(index),
  content: index % 2 === 0 ? text : [{ type: 'text', text }],
}))
const before = (index: number): string | null => (index === 0 ? null : String(index))
const joined = (values: readonly object[]): string => values.map((value) => JSON.stringify(value)).join('\n')

const files: Record<string, string> = {
  'a list of messages': JSON.stringify(messages),
  'an indented list of messages': JSON.stringify(messages, null, 2),
  'a request': JSON.stringify({ model: 'm', messages }),
  'messages, one a line': joined(messages),
  'an export': joined([
    { type: 'conversation', head: String(length) },
    ...messages.map((message, index) => ({ type: 'message', id: String(index + 1), parentId: before(index), message })),
  ]),
  'a Claude Code transcript': joined(
    messages.map((message, index) => {
      return { type: message.role, uuid: String(index + 1), parentUuid: before(index), message }
    }),
  ),
  'an export of ChatGPT': JSON.stringify([
    {
      mapping: Object.fromEntries(
        texts.map((text, index) => {
          const message = { author: { role: roleOf(index) }, content: { content_type: 'text', parts: [text] } }
          return [`m${index + 1}`, { parent: `m${index}`, message }]
        }),
      ),
    },
  ]),
  'messages of the Chat Completions API': joined([
    { role: 'developer', content: '' },
    ...texts.map((text, index) => ({ role: roleOf(index), content: text, refusal: null })),
  ]),
  'logs of llm': JSON.stringify(
    texts.flatMap((text, index) =>
      index % 2 === 0 ? [{ conversation_id: 'c', prompt: text, response: texts[index + 1] }] : [],
    ),
  ),
  'an export of Claude.ai': JSON.stringify({
    chat_messages: texts.map((text, index) => ({ sender: index % 2 === 0 ? 'human' : 'assistant', text })),
  }),
  'UI messages': JSON.stringify(texts.map((text, index) => ({ role: roleOf(index), parts: [{ type: 'text', text }] }))),
  'LangChain messages': JSON.stringify(
    texts.map((content, index) => ({ type: index % 2 === 0 ? 'human' : 'ai', content })),
  ),
}

/** The characters that a pass parses and writes as JSON: the most between two pauses, and all of them. */
function charactersOf<Result>(pass: Pausable<Result>): { longest: number; total: number; result: Result } {
  let [slice, longest, total] = [0, 0, 0]
  const { parse, stringify } = JSON
  const counted = {
    parse(text: string): unknown {
      slice += text.length
      return parse(text)
    },
    stringify(value: unknown): string | undefined {
      const text = stringify(value)
      slice += text?.length ?? 0
      return text
    },
  }
  Object.assign(JSON, counted)
  try {
    for (;;) {
      slice = 0
      const { done, value } = pass.next()
      longest = Math.max(longest, slice)
      total += slice
      if (done) return { longest, total, result: value }
    }
  } finally {
    Object.assign(JSON, { parse, stringify })
  }
}

describe('no pass works on more than a message between two pauses', () => {
  const messageLength = 500
  /** A message is parsed as a whole, then its content, then its blocks. */
  const most = 6 * messageLength

  for (const [name, text] of Object.entries(files)) {
    test(`reading ${name}`, () => {
      const { longest, result } = charactersOf(collected(readConversations(text, 0)))
      assert.deepEqual(
        result.map(({ archive }) => archive.messages.length),
        [length],
      )
      assert.ok(longest > 400 && longest <= most, String(longest))
    })
  }

  test('reading messages that a conversation is created with', () => {
    const { longest, result } = charactersOf(readGivenMessages(messages, 0))
    assert.equal(result.messages.length, length)
    assert.ok(longest > 400 && longest <= most, String(longest))
  })

  test('saying what is wrong with a file that no format fits', () => {
    const file = JSON.stringify({ questions: texts }, null, 2)
    assert.throws(() => charactersOf(collected(readConversations(file, 0))), {
      message: 'Cannot import a conversation: found an object with the members "questions"',
    })
  })

  test('copying a path', () => {
    const records = messages.map((message, index) => ({
      ...newRecord({
        number: index + 1,
        parent: index,
        role: message.role,
        createdAt: 0,
        json: JSON.stringify(message),
      }),
      reply: JSON.stringify({ trace: word }),
    }))
    const { longest, result } = charactersOf(copyPath(records, []))
    assert.equal(result.length, length)
    assert.ok(longest > 0 && longest <= messageLength, String(longest))
  })
})

// Such a reference keeps it until the next full garbage collection. A generator function inside another function is one.
describe('no old object refers to a conversation that was read', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  const read = (text: string): unknown => charactersOf(collected(readConversations(text, 0)))

  for (const name of ['an export of ChatGPT', 'an export of Claude.ai']) {
    test(`of ${name}`, () => {
      const text = files[name]!
      read(text)
      collectGarbage()
      const { heapUsed } = process.memoryUsage()
      const times = 10
      for (let time = 0; time < times; time++) read(text)
      for (let time = 0; time < 2; time++) collectGarbage({ type: 'minor' })
      const kept = process.memoryUsage().heapUsed - heapUsed
      assert.ok(kept < (times * text.length) / 2, `${kept} bytes of ${times * text.length}`)
    })
  }
})

describe('the work for a reply with many calls grows with their number', () => {
  const chat = (count: number): string => {
    const calls = Array.from({ length: count }, (_, index) => ({
      id: `c${index}`,
      type: 'function',
      function: { name: 'f', arguments: '{}' },
    }))
    const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'r' }))
    return JSON.stringify([{ role: 'user', content: 'a' }, { role: 'assistant', tool_calls: calls }, ...results])
  }
  const transcript = (count: number): string => {
    const line = (index: number, role: string, block: object): object => ({
      type: role,
      uuid: `${role}${index}`,
      parentUuid: role === 'user' ? `assistant${index}` : `assistant${index - 1}`,
      message: { role, id: 'm', content: [block] },
    })
    const indices = Array.from({ length: count }, (_, index) => index)
    return joined([
      { type: 'user', uuid: 'assistant-1', parentUuid: null, message: { role: 'user', content: 'a' } },
      ...indices.map((at) => line(at, 'assistant', { type: 'tool_use', id: `t${at}`, name: 'f', input: {} })),
      ...indices.map((at) => line(at, 'user', { type: 'tool_result', tool_use_id: `t${at}`, content: 'r' })),
    ])
  }
  for (const [name, fileOf] of Object.entries({ 'a list of messages': chat, 'a Claude Code transcript': transcript }))
    test(name, () => {
      const [few, many] = [50, 500].map((count) => charactersOf(collected(readConversations(fileOf(count), 0))).total)
      assert.ok(many! < 12 * few!, `${few} characters, then ${many}`)
    })
})
