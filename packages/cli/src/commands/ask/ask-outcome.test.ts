import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reply } from 'colloquy/conversation'
import type { Message } from 'colloquy/protocol'
import { notesOf } from './ask-outcome.ts'

function refused(stop_details: Message['stop_details']): Reply {
  const content = [{ type: 'text', text: 'No', citations: null }]
  const message = { content, stop_details } as unknown as Message
  return { message, stopReason: 'refusal' } as Reply
}

test('notesOf() tells the category and the explanation of a refusal', () => {
  const details = { type: 'refusal', category: 'cyber', explanation: 'It is harmful.' } as Message['stop_details']
  assert.deepEqual(notesOf({ reply: refused(details) }, false), ['Refused (cyber): It is harmful.'])
  assert.deepEqual(notesOf({ reply: refused(null) }, false), ['Refused: the model declined to answer.'])
})
