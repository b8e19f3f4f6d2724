import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBlank, isModelOnly, isServerToolBlock, isToolInput, sendable, withoutLastThinking } from './sendable.ts'

test('isBlank() is true of a text without a visible character', () => {
  assert.deepEqual(['', ' \n\u2003\ufeff', '.', ' a '].map(isBlank), [true, true, false, false])
})

test('isModelOnly() is true of what the model and its server tools write', () => {
  const modelOnly = ['tool_use', 'thinking', 'redacted_thinking', 'server_tool_use', 'mcp_tool_use', 'mcp_tool_result']
  assert.deepEqual(
    modelOnly.filter((type) => !isModelOnly({ type })),
    [],
  )
  const userMay = ['text', 'image', 'document', 'tool_result', 'search_result', 'container_upload']
  assert.deepEqual(
    userMay.filter((type) => isModelOnly({ type })),
    [],
  )
})

test('isServerToolBlock() is false of the calls and results of a client tool', () => {
  assert.deepEqual(
    ['server_tool_use', 'web_search_tool_result', 'tool_use', 'tool_result', undefined].filter((type) =>
      isServerToolBlock({ type }),
    ),
    ['server_tool_use', 'web_search_tool_result'],
  )
})

test('isToolInput() accepts only objects', () => {
  assert.deepEqual([{}, { a: 1 }, [], null, 'text', undefined].map(isToolInput), [
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})

test('sendable() leaves out blank text and gives each call an object as its input', () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'roll' } as const
  assert.deepEqual(
    sendable([
      { type: 'text', text: ' \n' },
      { type: 'text', text: 'Rolling.' },
      { ...call, input: 'six' },
      { ...call, input: { sides: 6 } },
    ]),
    [
      { type: 'text', text: 'Rolling.' },
      { ...call, input: {} },
      { ...call, input: { sides: 6 } },
    ],
  )
})

test('withoutLastThinking() leaves out thinking that nothing follows', () => {
  const blocks = ['thinking', 'text', 'redacted_thinking', 'thinking'].map((type) => ({ type }))
  assert.deepEqual(withoutLastThinking(blocks), [{ type: 'thinking' }, { type: 'text' }])
  assert.deepEqual(withoutLastThinking(blocks.slice(2)), [])
})
