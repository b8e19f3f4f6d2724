import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import * as fc from 'fast-check'
import { safeJson, safeLine, safePainted, safeText } from './safe-text.ts'
import { ansiPainter, plainPainter } from './style.ts'

/** Written apart from the filter: what a terminal obeys, and what Unicode calls Bidi_Control. */
const unsafe = /(?![\n\t])\p{Cc}|\p{Bidi_Control}/u
const sequences = /\x1b\[[\d;]*m|\x1b\]8;;[\x20-\x7e]*\x1b\\/g

/** Text with the beginnings and ends of every kind of escape sequence. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\x1b', '\x9b', '\x9d', '\x90', '\x98', '\x9e', '\x9f', '\x9c', '\x07', '\x08', '\x7f', '\x00'),
    fc.constantFrom('[', ']', '52;c;QQ==', '0;title', '2J', '31m', '8;;', '\\', 'P', '?25l', ';', '1;1H', 'm'),
    fc.constantFrom('\u202e', '\u2066', '\u2069', '\u200f', '\u061c', '\r', '\n', '\t', '\x85', '\u2028'),
    fc.constantFrom('\ud83d', '\ude00', '👍', 'é', '日', 'a', ' '),
    fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  ),
  maxLength: 40,
})

/** The code units that no terminal obeys and that show something. */
function withoutFormat(text: string): string {
  return text
    .split('')
    .filter((unit) => !/[\p{Cc}\p{Cf}]/u.test(unit))
    .join('')
}

test('safeText() removes everything that a terminal obeys, and nothing else', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const safe = safeText(text)
      assert.doesNotMatch(safe, unsafe)
      assert.equal(safeText(safe), safe)
      assert.equal(withoutFormat(safe), withoutFormat(text))
    }),
    { numRuns: 2000 },
  )
})

test('safeLine() is one line', () => {
  fc.assert(fc.property(hostile, (text) => assert.doesNotMatch(safeLine(text), /[\n\r\x85\u2028\u2029]/)))
})

test('safePainted() keeps only colours and links, and text painted before is not changed', () => {
  const style = fc.constantFrom({}, { bold: true }, { color: 'red' } as const, { link: 'https://a.b/c' })
  const painters = fc.constantFrom(plainPainter, ansiPainter({ links: true }), ansiPainter({ links: false }))
  fc.assert(
    fc.property(hostile, style, painters, (text, look, paint) => {
      assert.doesNotMatch(safePainted(text).replaceAll(sequences, ''), unsafe)
      const painted = paint(text.replaceAll(/[\n\u2028\u2029]/g, ''), look)
      assert.equal(safePainted(painted), painted)
      assert.doesNotMatch(painted.replaceAll(sequences, ''), unsafe)
    }),
    { numRuns: 2000 },
  )
})

test('a painter writes no link whose address could end its sequence', () => {
  const paint = ansiPainter({ links: true })
  for (const address of [
    'https://a.b/\x1b\\\x1b]52;c;QQ==\x07',
    'https://a.b/\x9c',
    'https://a.b/ä',
    'https://a.b/ c',
  ]) {
    assert.equal(paint('text', { link: address }), 'text')
  }
})

test('safeJson() escapes unsafe characters, and parses to the same value', () => {
  fc.assert(
    fc.property(fc.dictionary(hostile, hostile), (value) => {
      const json = safeJson(value, 2)
      assert.doesNotMatch(json, unsafe)
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('only the files in terminal/ write to a stream', () => {
  const source = join(import.meta.dirname, '..')
  const others = globSync('**/*.ts', { cwd: source }).filter(
    (file) => !file.startsWith('terminal') && !file.endsWith('.test.ts'),
  )
  assert.ok(others.length > 40)
  const writing = others.filter((file) =>
    /\b(?:stdout|stderr|output)\.write\(|\bconsole\.\w+\(/.test(readFileSync(join(source, file), 'utf8')),
  )
  assert.deepEqual(writing, [])
})
