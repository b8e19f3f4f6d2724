import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textIn } from './read-text.ts'

test('textIn() reads UTF-8 and UTF-16, without a byte order mark', () => {
  for (const written of ['Lumière', '\ufeffLumière']) assert.equal(textIn(Buffer.from(written)), 'Lumière')
  assert.equal(textIn(Buffer.from('\ufeffLumière', 'utf16le')), 'Lumière')
  assert.equal(textIn(Buffer.alloc(0)), '')
})
