import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createContext, Script } from 'node:vm'
import fc from 'fast-check'
import { exampleOf } from './pattern.ts'
import { parseRegex, testRegex } from '../../../protocol/json/regex.ts'

const { regex } = fc.letrec<{ regex: string; atom: string }>((tie) => ({
  // Deeper patterns, or longer texts, more often take RegExp minutes.
  atom: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      'a',
      'b',
      '.',
      '\\d',
      '\\w',
      '\\S',
      '[ab]',
      '[^a]',
      '[a-c\\]]',
      '\\.',
      '\\u0061',
      '\\p{L}',
      '[\\d-]',
    ),
    tie('regex').map((inner) => `(?:${inner})`),
    tie('regex').map((inner) => `(${inner})`),
    fc.constantFrom('^', '$'),
  ),
  regex: fc
    .array(
      fc
        .tuple(tie('atom'), fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?'))
        .map(([atom, times]) => (/^[$^]$/.test(atom) ? atom : atom + times)),
      { maxLength: 4 },
    )
    .chain((parts) => fc.constantFrom(parts.join(''), parts.join('|'))),
}))

const attempt = new Script('regex.test(text)')
const world = createContext({ regex: /./, text: '' })

/** Whether RegExp matches. A case for which it backtracks longer than 200 ms is left out: some would take it hours. */
function matches(source: string, text: string): boolean {
  try {
    Object.assign(world, { regex: new RegExp(source, 'u'), text })
    return attempt.runInContext(world, { timeout: 200 }) as boolean
  } catch (error) {
    fc.pre((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT')
    throw error
  }
}

test('testRegex() agrees with RegExp', () => {
  fc.assert(
    fc.property(
      regex,
      fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c', '1', '.', '-', ']', '👍', '\n') }),
      (source, text) => {
        assert.equal(testRegex(parseRegex(source), text), matches(source, text))
      },
    ),
    { numRuns: 2_000 },
  )
})

test('testRegex() takes time in proportion to the text', () => {
  for (const source of ['^(a+)+$', '^(a|a)*$', '(a*)*b', '^(?:a?){50}a{50}$'])
    assert.equal(testRegex(parseRegex(source), `${'a'.repeat(5_000)}!`), false)
})

test('exampleOf() gives a text that the pattern matches', () => {
  fc.assert(
    fc.property(regex, fc.nat(20), (source, minLength) => {
      // An anchor in the middle can make a pattern that matches nothing.
      fc.pre(!/[^^][\^]|[$]./.test(source))
      const example = exampleOf(parseRegex(source), minLength)
      assert.ok(matches(source, example), JSON.stringify(example))
    }),
  )
})

test('parseRegex() refuses what it cannot bound, with the feature', () => {
  const refused: [pattern: string, message: RegExp][] = [
    ['[', /not a valid/],
    ['[z-a]', /not a valid/],
    ['('.repeat(900), /not a valid/],
    ['('.repeat(100_000), /longer than 1000 characters/],
    ['(?=a)', /^lookaround$/],
    ['(?<!a)b', /^lookaround$/],
    ['(a)\\1', /^backreference$/],
    ['\\bword', /^word boundary$/],
  ]
  for (const [pattern, message] of refused) assert.throws(() => parseRegex(pattern), { message })
})

test('a pattern that is too large is refused before it is written or matched', () => {
  const large = ['a{1000000000}', '(a{1000}){1000}', '((a{99}){99}){99}']
  for (const pattern of large) {
    assert.throws(() => exampleOf(parseRegex(pattern)), { name: 'RegexError' })
    assert.throws(() => testRegex(parseRegex(pattern), 'a'), { name: 'RegexError' })
  }
  assert.equal(exampleOf(parseRegex('^[A-Z]+$x'), 1e308), 'Ax')
})
