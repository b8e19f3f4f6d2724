import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { MarkdownStream } from '../markdown/markdown-stream.ts'
import { Screen } from './screen.ts'
import { ansiPainter } from './style.ts'
import { VirtualTerminal } from '../../../../test/virtual-terminal.ts'
import { widthOf } from './width.ts'

const colored = ansiPainter({ links: true })

/** A reply as models write it, 3 kB long. */
const reply = Array.from(
  { length: 6 },
  (_, part) => `## Part ${part}

Some **bold** prose with \`code\` and a [link](https://example.com/${part}) that is long enough to be broken into a few lines.

1. First, *read* this
2. Then run it:
   \`\`\`ts
   const value = ${part} // 日本語
   console.log(value)
   \`\`\`

| name | value |
|------|------:|
| one  | ${part}00 |
| two  | 👍🏽 |

`,
).join('')

/** A terminal after a streamed reply, with a frame after each piece of a few characters. */
function stream(text: string, { columns = 80, rows = 24, size = 5, frames = 1 } = {}): VirtualTerminal {
  const terminal = new VirtualTerminal(columns, rows)
  const screen = new Screen(terminal)
  const markdown = new MarkdownStream({ columns, paint: colored })
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? []
  for (const [index, piece] of pieces.entries()) {
    markdown.push(piece)
    if (index % frames === 0) screen.update(markdown.frame(rows - 2))
  }
  screen.update({ done: markdown.end() })
  return terminal
}

/** The text of a terminal after the whole reply at once. */
function printed(text: string, columns: number): string {
  const markdown = new MarkdownStream({ columns, paint: plainPainterWithLinks })
  markdown.push(text)
  const terminal = new VirtualTerminal(columns, 1000)
  terminal.write(markdown.end().join('\r\n'))
  return terminal.text
}

const plainPainterWithLinks = Object.assign((text: string) => text, { links: true })

test('each line of a streamed reply is in the scrollback once, in any window', () => {
  const sizes = fc.record({
    columns: fc.integer({ min: 14, max: 90 }),
    rows: fc.integer({ min: 4, max: 30 }),
    size: fc.integer({ min: 1, max: 90 }),
    frames: fc.integer({ min: 1, max: 4 }),
  })
  fc.assert(
    fc.property(sizes, (options) => {
      assert.equal(stream(reply, options).text, printed(reply, options.columns))
    }),
    { numRuns: 25 },
  )
})

test('Screen writes less than 15 times the text and never clears the screen', () => {
  for (const size of [4, 12, 40]) {
    const { written } = stream(reply, { size })
    assert.ok(written.length < 15 * reply.length, `${(written.length / reply.length).toFixed(1)} times the text`)
    assert.doesNotMatch(written, /\x1b\[[23]J|\x1b\[\?1049/)
  }
})

test('Screen only appends when a line grows', () => {
  const terminal = new VirtualTerminal(80, 24)
  const screen = new Screen(terminal)
  screen.update({ live: ['Hello'] })
  const before = terminal.written.length
  screen.update({ live: ['Hello, world'] })
  assert.equal(terminal.written.slice(before), ', world')
})

test('Screen keeps a full row when the lines below it are removed', () => {
  const terminal = new VirtualTerminal(20, 24)
  const screen = new Screen(terminal)
  screen.update({ live: ['x'.repeat(20), ''] })
  screen.update({ live: ['x'.repeat(20)] })
  assert.equal(terminal.text, 'x'.repeat(20))
})

test('Screen shows the given lines, with the cursor in its position', () => {
  const word = fc.constantFrom('a', 'some words', '日本', '', 'x'.repeat(19), 'x'.repeat(20), 'y'.repeat(45), '👍🏽!')
  const styled = fc
    .tuple(fc.constantFrom('ab ', ' ', ''), word, fc.boolean())
    .map(([before, text, isBold]) => before + colored(text, isBold ? { bold: true } : {}))
  const line = fc.array(styled, { maxLength: 2 }).map((parts) => parts.join(''))
  const update = fc.record({ done: fc.array(line, { maxLength: 2 }), live: fc.array(line, { maxLength: 3 }) })
  fc.assert(
    fc.property(fc.array(update, { maxLength: 12, size: 'max' }), fc.nat(100), (updates, at) => {
      const terminal = new VirtualTerminal(20, 40)
      const screen = new Screen(terminal)
      const done: string[] = []
      for (const { done: lines, live } of updates) {
        const last = live.at(at % Math.max(1, live.length)) ?? ''
        const place = { line: Math.max(0, live.lastIndexOf(last)), column: at % Math.max(1, widthOf(last)) }
        screen.update({ done: lines, live, cursor: live.length === 0 ? undefined : place })
        done.push(...lines)
        const expected = new VirtualTerminal(20, 1000)
        expected.write([...done, ...live].join('\r\n'))
        assert.equal(terminal.text, expected.text)
        if (live.length === 0) continue
        const upToCursor = new VirtualTerminal(20, 1000)
        upToCursor.write([...done, ...live.slice(0, place.line)].map((text) => `${text}\r\n`).join(''))
        const row = upToCursor.cursor.row + Math.floor(place.column / 20)
        assert.deepEqual(terminal.cursor, { row, column: place.column % 20 })
      }
    }),
    { numRuns: 300 },
  )
})
