import assert from 'node:assert/strict'
import test from 'node:test'
import { plainPainter } from '../terminal/style.ts'
import { sentLines } from './editor-view.ts'

test('sentLines() shows a message of some lines whole', () => {
  assert.deepEqual(sentLines('one\ntwo', plainPainter), ['> one', '  two'])
})

test('sentLines() shows the beginning of a long message, and how much follows', () => {
  const lines = sentLines(Array.from({ length: 10_000 }, (_, index) => `line ${index}`).join('\n'), plainPainter)
  assert.equal(lines.length, 41)
  assert.deepEqual(lines.slice(-2), ['  line 39', '  … 9960 more lines'])
  const [start, note] = sentLines(`${'x'.repeat(3_999)}👍${'y'.repeat(1_000)}`, plainPainter)
  assert.ok(start!.isWellFormed())
  assert.equal(note, '  … 1001 more characters')
})
