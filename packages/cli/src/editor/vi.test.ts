import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { KeyReader } from '../terminal/input/keys.ts'
import { graphemes } from '../terminal/width.ts'
import { reduce } from './reduce.ts'
import { newEditor, type EditorState } from './state.ts'

/** The editor with the keys of vi after a text and keys in normal mode. `|` marks the cursor in the text. */
function press(text: string, keys: string): EditorState {
  const at = text.indexOf('|')
  const start = reduce(newEditor(['earlier question']), { name: 'keys', keys: 'vi' })
  let state: EditorState = {
    ...start,
    text: text.replace('|', ''),
    cursor: at < 0 ? text.length : at,
    vi: { mode: 'normal', pending: '' },
  }
  const reader = new KeyReader((key) => (state = reduce(state, key)))
  for (const character of keys) reader.push(Buffer.from(character))
  reader.close()
  return state
}

function shown({ text, cursor }: EditorState): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`
}

const cases: [text: string, keys: string, expected: string][] = [
  ['one |two three', 'h', 'one| two three'],
  ['one |two three', '2l', 'one tw|o three'],
  ['one |two three', '0', '|one two three'],
  ['one |two three', '$', 'one two thre|e'],
  ['  one| two', '^', '  |one two'],
  ['|one, two three', 'w', 'one|, two three'],
  ['|one, two three', 'W', 'one, |two three'],
  ['|one two three', '2w', 'one two |three'],
  ['one two| three', 'b', 'one |two three'],
  ['|one two three', 'e', 'on|e two three'],
  ['|one two three', 'fw', 'one t|wo three'],
  ['|one two three', 'tw', 'one |two three'],
  ['one two thr|ee', 'Fo', 'one tw|o three'],
  ['a\nb|c\nd', 'gg', '|a\nbc\nd'],
  ['a\nb|c\nd', 'G', 'a\nbc\n|d'],
  ['|one two', 'x', '|ne two'],
  ['|one two', '3x', '| two'],
  ['|one two three', 'dw', '|two three'],
  ['|one two three', 'd2w', '|three'],
  ['|one two three', '2dw', '|three'],
  ['one two |three', 'db', 'one |three'],
  ['one |two three', 'd$', 'one| '],
  ['one |two three', 'D', 'one| '],
  ['one |two three', 'd0', '|two three'],
  ['|one two', '$x', 'one t|w'],
  ['a\nb|c\nd', 'dd', 'a\n|d'],
  ['a\nb|c\nd', '2dd', '|a'],
  ['|a\nb\nc', '2dd', '|c'],
  ['a|b', 'dd', '|'],
  ['a\n|b c\nd', 'ddp', 'a\nd\n|b c'],
  ['|a b\nc\nd', '2yyP', '|a b\nc\na b\nc\nd'],
  ['one |two\n  three', 'dw', 'one| \n  three'],
  ['|one two\nthree four', 'd3w', '|four'],
  ['|one two', 'cwtwo', 'two| two'],
  ['one |two', 'Cfour', 'one four|'],
  ['one |two', 'ccnew', 'new|'],
  ['one |two', 'rx', 'one |xwo'],
  ['|ab', '~', 'A|b'],
  ['|one two', 'ywP', 'one |one two'],
  ['|one two', 'dwp', 't|wo'.replace('|', 'one |')],
  ['one| two', 'iX', 'oneX| two'],
  ['one| two', 'aX', 'one X|two'],
  ['one| two', 'IX', 'X|one two'],
  ['one| two', 'AX', 'one twoX|'],
  ['a|b\nc', 'oX', 'ab\nX|\nc'],
  ['a|b\nc', 'OX', 'X|\nab\nc'],
  ['|one two', 'dwu', '|one two'],
  ['|one', 'zzx', '|ne'],
]

test('each command of the normal mode changes text and cursor as in vi', () => {
  for (const [text, keys, expected] of cases) assert.equal(shown(press(text, keys)), expected, `${text} ${keys}`)
})

test('Esc leaves the insert mode, and Enter sends from both modes', () => {
  const state = press('one', 'Atwo')
  assert.equal(state.vi?.mode, 'insert')
  const left = reduce(state, { name: 'escape', text: '', ctrl: false, alt: false, shift: false })
  assert.equal(left.vi?.mode, 'normal')
  assert.equal(shown(left), 'onetw|o')
  const sent = press('hello', '\r')
  assert.deepEqual([sent.intent, sent.vi?.mode, sent.text], [{ kind: 'submit', text: 'hello' }, 'insert', ''])
})

test('Esc and a key in quick succession, which a terminal sends as Alt, mean both', () => {
  const start = reduce(newEditor(), { name: 'keys', keys: 'vi' })
  const typed = reduce(start, { name: 'text', text: 'one two', ctrl: false, alt: false, shift: false })
  const state = reduce(typed, { name: 'b', text: '', ctrl: false, alt: true, shift: false })
  assert.deepEqual([shown(state), state.vi?.mode], ['one |two', 'normal'])
})

test('k recalls the line before, and / searches', () => {
  assert.equal(press('', 'k').text, 'earlier question')
  assert.equal(press('', '/').search !== undefined, true)
})

test('no keys put the cursor into the middle of a character', () => {
  const key = fc.constantFrom(...'hlwWbBeE0^$xXDCsSpPu~dcyiaIAoOjkgGrftFT123\u001b😀a'.split(''))
  const text = fc.constantFrom('', 'one two', 'a😀b é ', '日本 x\n\n  y', 'word')
  fc.assert(
    fc.property(text, fc.array(key, { maxLength: 30 }), (start, keys) => {
      const { text: found, cursor } = press(start, keys.join(''))
      let at = 0
      const edges = new Set([0])
      for (const cluster of graphemes(found)) edges.add((at += cluster.length))
      assert.ok(edges.has(cursor), `${JSON.stringify(found)} ${cursor}`)
    }),
    { numRuns: 300 },
  )
})
