import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { KeyReader } from '../terminal/input/keys.ts'
import { graphemes } from '../terminal/width.ts'
import { plainPainter } from '../terminal/style.ts'
import { editorView } from './editor-view.ts'
import { layout } from './layout.ts'
import { reduce, type EditorEvent } from './reduce.ts'
import { expanded, newEditor, type EditorState } from './state.ts'

const history = ['first question', 'second\nwith two lines', 'third question']

/** The state after the bytes of a terminal. */
function press(bytes: string, state: EditorState = newEditor(history)): EditorState {
  let next = state
  const reader = new KeyReader((key) => (next = reduce(next, key)))
  for (const part of bytes.split(/(?=\x1b\[200~)|(?<=\x1b\[201~)/)) {
    if (part.startsWith('\x1b[200~')) reader.push(Buffer.from(part))
    else for (const character of part) reader.push(Buffer.from(character))
  }
  reader.close()
  return next
}

function paste(text: string): string {
  return `\x1b[200~${text}\x1b[201~`
}

/** The text with a mark at the cursor. */
function shown({ text, cursor }: EditorState): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`
}

const up = '\x1b[A'
const down = '\x1b[B'
const left = '\x1b[D'
const lines = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index + 1}`).join('\n')

test('Enter sends the typed text and empties the editor', () => {
  const state = press('hello\r')
  assert.deepEqual(state.intent, { kind: 'submit', text: 'hello' })
  assert.equal(state.text, '')
  assert.equal(press('  \r').intent, undefined)
})

test('Shift-Enter, Alt-Enter, Ctrl-J and backslash Enter insert a line break', () => {
  for (const key of ['\x1b[13;2u', '\x1b\r', '\n', '\\\r']) {
    const state = press(`a${key}b`)
    assert.equal(shown(state), 'a\nb|')
    assert.equal(state.intent, undefined)
  }
})

test('a paste with line breaks does not send, and a long one becomes a mark', () => {
  const state = press(`look: ${paste(`${lines(43)}\n`)} ok`)
  assert.equal(state.intent, undefined)
  const { rows } = layout(state.text, state.cursor, 80, state.pastes)
  assert.deepEqual(
    rows.map((row) => row.text),
    ['look: [paste 1: 43 lines] ok'],
  )
  assert.deepEqual(press('\r', state).intent, { kind: 'submit', text: `look: ${lines(43)}\n ok` })
})

test('pasting the same text again replaces its mark by the text', () => {
  const once = press(paste(lines(12)))
  assert.equal(once.text.length, 1)
  assert.equal(press(paste(lines(12)), once).text, lines(12))
  assert.equal(press('\x7f', once).text, '')
})

test('up and down move in the text, then through the history', () => {
  const typed = press('one\ntwo')
  assert.equal(shown(press(up, typed)), 'one|\ntwo')
  assert.equal(shown(press(up + up, typed)), 'third question|')
  assert.equal(shown(press(up + up + up, typed)), 'second\nwith two lines|')
  assert.equal(shown(press(up + up + up + up + up, typed)), 'first question|')
  assert.equal(shown(press(up + up + down, typed)), 'one\ntwo|')
})

test('up keeps its column across shorter lines', () => {
  assert.equal(shown(press(`long line\nab\nanother one${up}${up}`)), 'long line|\nab\nanother one')
})

test('Ctrl-R searches back, Enter sends the match, Esc restores the text', () => {
  const found = press('draft\x12question')
  assert.equal(found.text, 'third question')
  assert.equal(press('\x12', found).text, 'first question')
  assert.deepEqual(press('\r', press('\x12', found)).intent, { kind: 'submit', text: 'first question' })
  assert.equal(shown(press('\x07', found)), 'draft|')
  assert.equal(press('\x12nothing like it').search?.place, undefined)
})

test('Emacs keys cut, paste, move and transpose', () => {
  assert.equal(shown(press('one two\x01\x0b\x19\x19')), 'one twoone two|')
  assert.equal(shown(press('one two three\x17\x17\x19')), 'one two three|')
  assert.equal(shown(press('one two\x1bb\x15')), '|two')
  assert.equal(shown(press('ab\x14')), 'ba|')
  assert.equal(shown(press('one two\x01\x1bd\x19')), 'one| two')
  assert.equal(shown(press('one\x02\x02\x04')), 'o|e')
})

test('Ctrl-_ undoes word by word and Alt-_ redoes', () => {
  const state = press('one two three')
  assert.equal(press('\x1f', state).text, 'one two')
  assert.equal(press('\x1f\x1f', state).text, 'one')
  assert.equal(press('\x1f\x1f\x1f\x1f\x1f', state).text, '')
  assert.equal(press('\x1f\x1f\x1b_', state).text, 'one two')
})

test('Ctrl-C clears the text; on an empty line Ctrl-C and Ctrl-D ask to leave', () => {
  assert.equal(press('abc\x03').text, '')
  assert.equal(press('abc\x03').intent, undefined)
  assert.equal(press('abc\x03\x1f').text, 'abc')
  assert.equal(press('\x03').intent?.kind, 'interrupt')
  assert.equal(press('\x04').intent?.kind, 'leave')
  assert.equal(press(`abc${left}\x04`).text, 'ab')
})

test('? shows the shortcuts on an empty line and is text elsewhere', () => {
  assert.equal(press('?').intent?.kind, 'shortcuts')
  assert.equal(press('why?').text, 'why?')
})

test('Tab inserts the common beginning, then cycles; Enter sends the text', () => {
  const asked = press('/mo\t')
  assert.equal(asked.intent?.kind, 'complete')
  const offered = reduce(asked, { name: 'completions', from: 0, items: ['/model', '/more'] })
  assert.equal(offered.text, '/mo')
  assert.equal(press('\t', offered).text, '/model')
  assert.equal(press('\t\t', offered).text, '/more')
  assert.deepEqual(press('\r', offered).intent, { kind: 'submit', text: '/mo' })
  assert.equal(reduce(asked, { name: 'completions', from: 0, items: ['/model '] }).text, '/model ')
})

const event: fc.Arbitrary<EditorEvent> = fc.oneof(
  fc
    .constantFrom(
      'a',
      ' ',
      'é',
      'e\u0301',
      '漢',
      '👍',
      '\u{1f3fd}',
      '\u200d',
      '👩',
      '\u0301',
      '?',
      '\\',
      '/',
      '\ufdd0',
      '\x1b',
    )
    .map((text) => key('text', { text })),
  fc
    .constantFrom('left', 'right', 'up', 'down', 'home', 'end', 'backspace', 'delete', 'enter', 'tab', 'escape')
    .map((name) => key(name)),
  fc.constantFrom(...'abcdefghjklnoprtuwxyz_').map((name) => key(name, { ctrl: true })),
  fc.constantFrom(...'bdfulc_<>', 'backspace', 'enter').map((name) => key(name, { alt: true })),
  fc
    .constantFrom('x', 'one\ntwo', lines(12), 'tab\there', '\u0301', 'bad\x1b[2J')
    .map((text) => key('paste', { text })),
  fc.constantFrom({ name: 'completions' as const, from: 0, items: ['/a', '/ab'] }),
  fc.integer({ min: 1, max: 40 }).map((columns) => ({ name: 'columns' as const, columns })),
)

function key(name: string, parts: object = {}): EditorEvent {
  return { name, text: '', ctrl: false, alt: false, shift: false, ...parts }
}

test('any keys leave the cursor between graphemes and no control characters', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
      let state = newEditor(history, 20)
      for (const one of events) {
        state = reduce(state, one)
        let at = 0
        const places = new Set([0])
        for (const cluster of graphemes(state.text)) places.add((at += cluster.length))
        assert.ok(places.has(state.cursor), `cursor ${state.cursor} in ${JSON.stringify(state.text)}`)
        assert.doesNotMatch(expanded(state), /(?!\n)\p{Cc}/u)
        const { rows, row, column } = layout(state.text, state.cursor, state.columns, state.pastes)
        assert.ok(rows[row] !== undefined && column < state.columns)
      }
    }),
    { numRuns: 500 },
  )
})

test('undoing every change restores the first state', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40, size: 'max' }), (events) => {
      let state = newEditor([], 20)
      for (const one of events) {
        const next = reduce(state, one)
        state = next.intent?.kind === 'submit' ? state : next
      }
      state = reduce(state, key('escape'))
      for (let count = 0; count < 100; count++) state = reduce(state, key('_', { ctrl: true }))
      assert.equal(state.text, '')
    }),
  )
})

test('only Enter sends', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
      let state = newEditor(history, 20)
      for (const one of events) {
        state = reduce(state, one)
        if (state.intent?.kind === 'submit') assert.equal(one.name, 'enter')
      }
    }),
  )
})

test('up and down move through a text much longer than the window, to the history at its ends', () => {
  const text = lines(1000)
  let state = reduce(newEditor(['older'], 40), { name: 'replace', text })
  for (let line = 1000; line > 1; line--) {
    assert.equal(text.slice(0, state.cursor).split('\n').length, line)
    state = press(up, state)
  }
  assert.equal(press(up, state).text, 'older')
  const options = { columns: 40, rows: 3, paint: plainPainter, placeholder: '' }
  assert.deepEqual(editorView(press(down, state), options).lines, ['> line 1', '  line 2', '  line 3'])
})
