import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentBlockParam, MessageCreateParams } from 'colloquy/protocol'
import { withoutForeignThinking } from './foreign-thinking.ts'

const text: ContentBlockParam = { type: 'text', text: 'Hello.' }
const signed: ContentBlockParam = { type: 'thinking', thinking: 'hm', signature: 'EqQBCgIYAhIM' }
const foreign: ContentBlockParam = { type: 'thinking', thinking: 'hm', signature: btoa('colloquy:2') }

function params(...content: ContentBlockParam[]): MessageCreateParams {
  const messages = [
    { role: 'user' as const, content: 'Hi' },
    { role: 'assistant' as const, content },
  ]
  return { model: 'claude-opus-5-5', max_tokens: 10, messages }
}

test('thinking that another engine signed is not sent, and that of Claude is', () => {
  const mixed = withoutForeignThinking(params(foreign, text))
  assert.deepEqual(mixed.messages[1]!.content, [text])
  const own = params(signed, text)
  assert.equal(withoutForeignThinking(own), own)
})

test('a message with nothing else is left out', () => {
  assert.deepEqual(
    withoutForeignThinking(params(foreign)).messages.map(({ role }) => role),
    ['user'],
  )
})
