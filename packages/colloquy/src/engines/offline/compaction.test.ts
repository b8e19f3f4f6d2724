import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import type { Compact20260112Edit } from '../../protocol/types/beta/context-edit.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { offline } from './offline.ts'

const long = 'word '.repeat(60_000)
const edit: Compact20260112Edit = { type: 'compact_20260112', trigger: { type: 'input_tokens', value: 50_000 } }
const facts: MessageParam[] = [
  { role: 'user', content: 'My name is Ada.' },
  { role: 'assistant', content: 'Noted.' },
]

function ask(messages: MessageParam[], more: Partial<MessageCreateParams> = {}): Promise<Message> {
  const context_management = { edits: [edit] }
  return accumulate(offline()({ model: 'claude-sonnet-4-6', max_tokens: 100, messages, context_management, ...more }))
}

function textOf({ content }: Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

test('offline() compacts a prompt beyond the trigger, and lists the call in iterations', async () => {
  const messages: MessageParam[] = [...facts, { role: 'user', content: `What is my name? ${long}` }]
  const { content, usage, stop_reason } = await ask(messages)
  assert.deepEqual(
    content.map(({ type }) => type),
    ['compaction', 'text'],
  )
  const [compaction, own] = usage.iterations!
  assert.deepEqual([compaction!.type, own!.type, stop_reason], ['compaction', 'message', 'end_turn'])
  assert.ok(compaction!.input_tokens > 60_000 && compaction!.output_tokens > 0)
  assert.ok(usage.input_tokens < 1_000)
  assert.deepEqual([own!.input_tokens, own!.output_tokens], [usage.input_tokens, usage.output_tokens])
})

test('offline() reads the compaction block and nothing before it', async () => {
  const messages: MessageParam[] = [...facts, { role: 'user', content: long }]
  const reply: MessageParam = { role: 'assistant', content: (await ask(messages)).content }
  const question: MessageParam = { role: 'user', content: 'What is my name?' }
  const short = await ask([reply, question])
  assert.equal(textOf(short), 'Your name is Ada.')
  const whole = await ask([...messages, reply, question])
  assert.deepEqual([whole.usage, whole.content], [short.usage, short.content])
  const { input_tokens: counted } = await offline().countTokens!({
    model: 'm',
    messages: [...messages, reply, question],
  })
  assert.ok(counted < 1_000 && short.usage.iterations === undefined)
  // The next one has what the last one had.
  const { content } = await ask([reply, { role: 'user', content: long }])
  assert.match(JSON.stringify(content[0]), /My name is Ada/)
})

test('offline() pauses after compaction if requested, and compacts only if requested', async () => {
  const messages: MessageParam[] = [{ role: 'user', content: long }]
  const paused = await ask(messages, { context_management: { edits: [{ ...edit, pause_after_compaction: true }] } })
  assert.deepEqual([paused.stop_reason, paused.content.length, paused.usage.output_tokens], ['compaction', 1, 0])
  assert.equal(paused.usage.iterations!.length, 1)
  const { content } = await ask(messages, { context_management: { edits: [] } })
  assert.equal(content[0]!.type, 'text')
})
