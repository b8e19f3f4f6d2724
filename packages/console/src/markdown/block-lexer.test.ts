import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Token } from 'marked'
import { BlockLexer } from './block-lexer.ts'

const line = fc.constantFrom(
  '# Title',
  'text with *emphasis*',
  '',
  '- item',
  '  more',
  '1. first',
  '```js',
  'let x = 1',
  '```',
  '> quote',
  '| a | b |',
  '|---|---|',
  '| 1 | 2 |',
  '---',
  '[a]: /b',
  '    code',
  '<div>',
  '\t- x',
  'a\r',
  '===',
  '$$',
  '$$x$$',
  '\\[ y',
  'z \\]',
  '+ $a$ and \\(b\\)',
  'see [a]',
  'b[^1] <sub>c</sub>',
  '[^1]: note',
  'c[^n], [^abc]',
  '[^n]: named',
  'は**「d」**は',
  '<details>',
  '<summary>t</summary>',
  '</details>',
)
const lines = fc.array(line, { maxLength: 14 }).map((some) => some.join('\n'))
const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 6 })

test('a block keeps its key and its token while the text grows behind it', () => {
  const lexer = new BlockLexer()
  const before = lexer.read('# One\n\ntwo\n\nthree\n\nfour')
  const after = lexer.read('# One\n\ntwo\n\nthree\n\nfour\n\nfive')
  assert.equal(after[0], before[0])
  assert.equal(after.length, before.length + 2)
})

test('text in pieces is read as the same text at once, with lines of every kind', () => {
  const property = fc.property(lines, cuts, (text, ends) => {
    assert.deepEqual(inPieces(text, ends).map(sourceOf), atOnce(text).map(sourceOf))
  })
  fc.assert(property, { numRuns: 500 })
})

test('links and emphasis of text in pieces are those of the same text at once', () => {
  const property = fc.property(lines, cuts, lines, (before, ends, after) => {
    const text = `${before}\n[a]: /address "title"\n${after}`
    assert.deepEqual(inPieces(text, ends), atOnce(text))
  })
  fc.assert(property, { numRuns: 500 })
})

test('a table with too few columns is a paragraph, beside a formula too', () => {
  const table = 'text\ntext\n|---|---|'
  assert.deepEqual(atOnce(`$a$\n\n${table}`).at(-1), atOnce(`a\n\n${table}`).at(-1))
})

test('a paragraph behind a footnote is not part of it when a formula stands above', () => {
  const text = 'a\n$$x$$\n[^1]: note\n\nb'
  assert.deepEqual(
    atOnce(text).map(({ type }) => type),
    ['paragraph', 'formula', 'paragraph', 'space', 'paragraph'],
  )
})

test('two signs that turn out to begin no formula are a heading', () => {
  const text = '$$\n===\n# Title\n\nend'
  assert.deepEqual(
    inPieces(text, [7]).map(({ type }) => type),
    ['heading', 'heading', 'space', 'paragraph'],
  )
})

test('a link has its whole address when its definition arrives in pieces', () => {
  for (const text of ['[a]\n\n[a]: /address', '[a]: /address\n\n[a]\n\none\n\ntwo\n\nthree'])
    assert.deepEqual(inPieces(text, [...text].keys()), atOnce(text))
})

test('a definition reaches the blocks far above it', () => {
  const paragraphs = '\n\none\n\ntwo\n\nthree\n\n'
  for (const text of [`[a]${paragraphs}[a]: /address`, `b[^note]${paragraphs}[^note]: text`])
    assert.deepEqual(inPieces(text, [...text].keys()), atOnce(text))
})

test('a text that still arrives is shown with its open marks closed, and code as it is', () => {
  const shown = (text: string): string => rawOf(new BlockLexer().preview(text))
  assert.equal(shown('# a\n\nb **c'), '# a\n\nb **c**')
  assert.equal(shown('- a\n- [b](http://c'), '- a\n- b')
  assert.equal(shown('> H<sub>2'), '> H<sub>2</sub>')
  assert.equal(shown('a <su'), 'a')
  assert.equal(shown('a\n\n**'), 'a\n\n')
  assert.equal(shown('|a|\n|-|\n|*b'), '|a|\n|-|\n|*b*')
  assert.equal(shown('| a | b'), '| a | b\n|-|-|')
  assert.equal(shown('| a | b |\n|-'), '| a | b |\n|-|-|')
  assert.equal(shown('<details>\n<summary>a</sum'), '<details>\n<summary>a')
  assert.equal(shown('b\n\n<det'), 'b\n\n')
  for (const text of ['- a\n  ```\n  **b', '```\n`', '    *a', '<div>\n*a', 'a **b** c'])
    assert.equal(shown(text), text)
})

test('a preview changes nothing in what is read later', () => {
  const property = fc.property(lines, cuts, (text, ends) => {
    const lexer = new BlockLexer()
    for (const end of [...ends].toSorted((a, b) => a - b)) lexer.preview(text.slice(0, end))
    assert.deepEqual(
      lexer.read(text).map(({ token }) => sourceOf(token)),
      atOnce(text).map(sourceOf),
    )
  })
  fc.assert(property, { numRuns: 200 })
})

test('the raw texts of the blocks are the text', () => {
  const text = '# a\r\n\r\nb\r\n- c\r\n\r\n- d\n\n\n\ne\n\nf\n\ng\n'
  const lexer = new BlockLexer()
  let read = ''
  for (let end = 1; end <= text.length; end++) read = rawOf(lexer.read(text.slice(0, end)))
  assert.equal(read.length, text.length)
})

// Ends a lexer whose time grows with the square of the text. The text is read in a fraction of a second.
test('30,000 lines that may begin a formula are read', { timeout: 120_000 }, () => {
  for (const line of [
    '$$\n',
    '$$ x\n',
    '$$a$$ b\n',
    'b\n$$a$$\n',
    '\\[\n\\]\n',
    '> $$\n',
    '\\( ',
    '$a ',
    'a$x$ ',
    '*a$x$ ',
    '<details>\n',
    '<details>\n\n</details>\n',
    '[^1]: a\n',
    'a[^n]\n\n',
    '**「a',
    '**「a」**は',
    'a[^1] ',
    '<sub>',
    '<sub>a</sub>',
  ]) {
    const text = line.repeat(Math.ceil(100_000 / line.length))
    assert.equal(rawOf(new BlockLexer().read(text)).length, text.length)
  }
})

test('6,000 nested quotes leave the form of the text around them', () => {
  const text = `# Title\n\n${'> '.repeat(6_000)}deep\n\nend`
  const types = new BlockLexer().read(text).map(({ token }) => token.type)
  assert.deepEqual(types, ['heading', 'space', 'blockquote', 'space', 'paragraph'])
})

function rawOf(blocks: ReturnType<BlockLexer['read']>): string {
  return blocks.map(({ token }) => token.raw).join('')
}

/** The blocks of a text of which first the beginnings of these lengths are read. */
function inPieces(text: string, ends: Iterable<number>): Token[] {
  const lexer = new BlockLexer()
  for (const end of [...ends].toSorted((a, b) => a - b)) lexer.read(text.slice(0, end))
  return lexer.read(text).map(({ token }) => token)
}

function atOnce(text: string): Token[] {
  return inPieces(text, [])
}

function sourceOf({ type, raw }: Token): string {
  return `${type} ${raw}`
}
