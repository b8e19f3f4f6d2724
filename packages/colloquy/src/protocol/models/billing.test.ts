import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBilled } from './billing.ts'

test('isBilled() is false for a refusal before any output, except in three categories', () => {
  const text = { type: 'text' as const, text: 'Hello', citations: null }
  const details = (category: string | null) => ({ type: 'refusal' as const, category, explanation: null })
  const refused = (category: string | null, content = [] as (typeof text)[]): boolean =>
    isBilled({ content, stop_reason: 'refusal', stop_details: details(category) })
  const categories = ['cyber', 'bio', 'frontier_llm', 'reasoning_extraction', 'general_harms', 'new', null]
  assert.deepEqual(
    categories.filter((category) => refused(category)),
    ['bio', 'frontier_llm', 'reasoning_extraction'],
  )
  assert.ok(categories.every((category) => refused(category, [text])))
  assert.equal(isBilled({ content: [], stop_reason: 'refusal' }), false)
  assert.equal(isBilled({ content: [], stop_reason: 'end_turn' }), true)
})
