import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { linesOf, linesPerPart } from './code-lines.ts'
import { type Highlighted, highlight } from './highlight.ts'

test('code is divided into parts of whole lines, in colour as without', async () => {
  const line = fc.constantFrom('let x = 1', '/*', '*/', '`${y', '}`', '', 'a < b && "c"')
  const property = fc.asyncProperty(fc.array(line, { maxLength: 200 }), async (lines) => {
    const code = lines.join('\n')
    const parts = (await highlight(code, 'ts'))!.map(textOf)
    assert.deepEqual(parts.join(''), code)
    assert.deepEqual(parts.filter(Boolean), linesOf(code))
    for (const part of parts) assert.ok(part.split('\n').length <= linesPerPart + 1)
  })
  await fc.assert(property, { numRuns: 30 })
})

test('a comment continues in the next part', async () => {
  const parts = (await highlight(`/*${'\n'.repeat(linesPerPart + 1)}*/`, 'ts'))!
  assert.deepEqual(
    parts.map((part) => part.map((each) => typeof each === 'object' && each.scope)),
    [['hljs-comment'], ['hljs-comment']],
  )
})

function textOf(parts: readonly Highlighted[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : textOf(part.children))).join('')
}
