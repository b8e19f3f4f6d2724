import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { startCpuTime } from '../../../../test/cpu-time.ts'
import { runs } from '../../../../test/sampled.ts'
import { ansiPainter, plainPainter, type Painter } from '../terminal/style.ts'
import { rowsOf, widthOf, withoutEscapes } from '../terminal/width.ts'
import { MarkdownStream } from './markdown-stream.ts'

const colored = ansiPainter({ links: true })

function render(text: string, columns = 60, paint: Painter = plainPainter): string[] {
  const stream = new MarkdownStream({ columns, paint })
  stream.push(text)
  return stream.end()
}

/** Text and marks of Markdown, in any order. */
const fragment = fc.constantFrom(
  'a',
  'word ',
  'some longer words here ',
  '日本語の文',
  '👍🏽',
  '\n',
  '\n\n',
  '\n- ',
  '\n  - ',
  '\n1. ',
  '\n2) ',
  '\n> ',
  '**',
  '*',
  '_',
  '`',
  '``',
  '~~',
  '[',
  ']',
  '(http://x.y)',
  '[ref]: http://r.s\n',
  '# ',
  '\n## ',
  '\n---\n',
  '\n===\n',
  '\n```js\n',
  '\n```\n',
  'const a = 1 // b\n',
  '/* open\n',
  '    ',
  '\t',
  '| a | b |\n',
  '|---|:-:|\n',
  '| 1 | `2|` |\n',
  '<b>',
  '</b>',
  '<sub>',
  '\n<details>\n<summary>t</summary>\n',
  '\n</details>\n',
  '[^1]',
  '<br>',
  '&amp;',
  '&#27;',
  '\\',
  '\\*',
  '!',
  '\r\n',
  '\x1b[31m',
  '\x07',
  '- [ ] ',
  'https://a.b/c_d_e ',
  '$',
  '$x_1$',
  '\n$$\n',
  '$$',
  '\\(',
  'x^2\\)',
  '\n\\[ ',
  '\\]',
  '\\frac12',
)
const markdown = fc.array(fragment, { maxLength: 40, size: 'max' }).map((parts) => parts.join(''))
const cuts = fc.array(fc.nat(400), { maxLength: 30, size: 'max' })

function shown(text: string): string[] {
  const stream = new MarkdownStream({ columns: 60, paint: colored })
  stream.push(text)
  return stream.frame(20).live
}

function pieces(text: string, at: readonly number[]): string[] {
  const places = [0, ...at.filter((place) => place < text.length).toSorted((one, other) => one - other), text.length]
  return places.slice(1).map((place, index) => text.slice(places[index], place))
}

test('finished lines do not depend on the pieces or the frames', () => {
  fc.assert(
    fc.property(markdown, cuts, fc.integer({ min: 20, max: 80 }), (text, at, columns) => {
      const stream = new MarkdownStream({ columns, paint: colored })
      const lines: string[] = []
      for (const piece of pieces(text, at)) {
        stream.push(piece)
        lines.push(...stream.frame(1000).done)
      }
      lines.push(...stream.end())
      assert.deepEqual(lines, render(text, columns, colored))
    }),
    { numRuns: runs(1500, 5) },
  )
})

test('a block taller than the window is finished from its top, each line once', () => {
  const words = fc.constantFrom('plain ', 'words ', 'go ', '**bold** ', '`code` ', '*it* ', '日本語 ', 'https://a.b/c ')
  fc.assert(
    fc.property(fc.array(words, { minLength: 60, maxLength: 150 }), fc.constantFrom('', '- ', '> '), (parts, mark) => {
      const text = mark + parts.join('')
      const stream = new MarkdownStream({ columns: 30, paint: plainPainter })
      const lines: string[] = []
      for (const piece of text.match(/.{1,7}/gsu) ?? []) {
        stream.push(piece)
        const { done, live } = stream.frame(4)
        lines.push(...done)
        assert.ok(live.reduce((sum, line) => sum + rowsOf(line, 30), 0) <= 4)
      }
      assert.ok(lines.length > 0)
      assert.deepEqual([...lines, ...stream.end()], render(text, 30))
    }),
    { numRuns: runs(25, 5) },
  )
})

test('control characters of the text do not reach the terminal', () => {
  const text = fc.string({
    unit: fc.constantFrom('\x1b', '[', '2J', '\x9b', '\x07', ']8;;', '&#27;', '&#x9b;', '`', 'a', '\n', '\r'),
  })
  fc.assert(
    fc.property(text, (source) => {
      assert.doesNotMatch(render(source).join(''), /[\x00-\x1f\x7f-\x9f]/)
      assert.doesNotMatch(
        withoutEscapes(render(source, 60, colored).join('')).replaceAll(/\x1b\[[\d;]*m/g, ''),
        /[\x00-\x1f\x7f-\x9f]/,
      )
    }),
  )
})

test('prose is wrapped to the window', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('one', 'three', '日本語', '👍🏽', 'a,b'), { maxLength: 60, size: 'max' }),
      (words) => {
        for (const line of render(words.join(' '), 24)) assert.ok(widthOf(line) < 24, line)
      },
    ),
  )
})

test('code starts at the first column and is not wrapped, also in a list', () => {
  const long = 'x'.repeat(90)
  assert.deepEqual(render(`1. Run\n   \`\`\`sh\n   echo ${long}\n     two\n   \`\`\`\n2. Done`, 40), [
    '1. Run',
    '',
    `echo ${long}`,
    '  two',
    '',
    '2. Done',
  ])
})

test('open marks are shown as if closed, and a mark without text is hidden', () => {
  assert.deepEqual(shown('a **bo'), ['a \x1b[1mbo\x1b[0m'])
  assert.deepEqual(shown('a **bold** and **'), ['a \x1b[1mbold\x1b[0m and'])
  assert.deepEqual(shown('a **bold*'), ['a \x1b[1mbold\x1b[0m'])
  assert.deepEqual(shown('a ~~old~'), ['a \x1b[9mold\x1b[0m'])
  for (const beginning of ['[', '![', '<', '</', '~', '<su']) assert.deepEqual(shown(`a ${beginning}`), ['a'])
  assert.deepEqual(shown('run `npm te'), ['run \x1b[36mnpm te\x1b[0m'])
  assert.deepEqual(shown('see [the do'), ['see the do'])
  assert.deepEqual(shown('see [the docs](https://exa'), ['see the docs'])
  assert.deepEqual(shown('```js\nconst'), ['\x1b[35mconst\x1b[0m'])
  assert.deepEqual(shown('-'), [])
  assert.deepEqual(shown('#'), [])
  assert.deepEqual(shown('12'), [])
})

test('the columns of a table are aligned by the width of their text', () => {
  assert.deepEqual(render('| city | people |\n|:--|--:|\n| 東京 | 14 |\n| Ōsaka | 2.7 |\n\nafter'), [
    'city   people',
    '─────  ──────',
    '東京       14',
    'Ōsaka     2.7',
    '',
    'after',
  ])
})

test('the cells of a table wrap, and in a very narrow window rows become lists', () => {
  const table = '| name | what it is |\n|---|---|\n| alpha | the first letter of all |\n| omega | the last |'
  assert.deepEqual(render(table, 22), [
    'name   what it is',
    '─────  ──────────────',
    'alpha  the first',
    '       letter of all',
    'omega  the last',
  ])
  assert.deepEqual(render(table, 13), [
    'name: alpha',
    'what it is:',
    'the first',
    'letter of',
    'all',
    '',
    'name: omega',
    'what it is:',
    'the last',
  ])
})

test('lists keep their numbers, depth and blank lines', () => {
  assert.deepEqual(
    render('Steps:\n1. one\n1. two\n  - inner\n    more\n1. three\n\n- [ ] open\n- [x] done\n\n  said'),
    ['Steps:', '1. one', '2. two', '   • inner', '     more', '3. three', '', '☐ open', '☑ done', '', '  said'],
  )
})

test('links show their address unless the terminal opens them', () => {
  assert.deepEqual(
    render('[docs](https://a.b/c) <https://d.e> [bad](javascript:alert(1)) ![pic](https://t.co/x.png)'),
    ['docs (https://a.b/c) https://d.e bad [image: pic]', '(https://t.co/x.png)'],
  )
  assert.deepEqual(render('[docs](https://a.b/c)', 60, colored), [
    '\x1b]8;;https://a.b/c\x1b\\\x1b[4mdocs\x1b[0m\x1b]8;;\x1b\\',
  ])
})

test('HTML that changes the look of text is a style or another character, and other HTML is its source', () => {
  assert.deepEqual(
    render(
      'H<sub>2</sub>O, x<SUP class="a">n+1</SUP>, <kbd>Ctrl</kbd> <a href="b">c</a> <sub>d\n\n<kbd>A</kbd>\n\n<div>e</div>',
    ),
    ['H₂O, xⁿ⁺¹, Ctrl <a href="b">c</a> <sub>d', '', 'A', '', '<div>e</div>'],
  )
  assert.deepEqual(render('<u>a <b>b</u>', 60, colored), ['\x1b[4ma <b>b\x1b[0m'])
  assert.deepEqual(render('Text[^1].\n\n[^1]: A note\n[^a]'), ['Text[1].', '', '[1]: A note', '[^a]'])
  assert.deepEqual(render('<details>\n<summary>More</summary>\n\n- a\n\n</details>\nb'), ['More', '', '• a', '', 'b'])
})

test('emphasis that ends in punctuation beside an East Asian letter is emphasis', () => {
  assert.deepEqual(render('**「a」**は', 60, colored), ['\x1b[1m「a」\x1b[0mは'])
})

test('formulas in TeX are written as text', () => {
  assert.deepEqual(render('So $x = \\frac{a}{2}$ and \\(y \\le x_1^2\\), for $5 or $10.'), [
    'So x = a/2 and y ≤ x₁², for $5 or $10.',
  ])
  assert.deepEqual(render('See:\n$$\n\\begin{aligned}\na &= b\n+ c \\\\\n&= d\n\\end{aligned}\n$$\nHere.'), [
    'See:',
    '',
    'a = b + c',
    '  = d',
    '',
    'Here.',
  ])
  assert.deepEqual(render('- \\[ \\sqrt{x} \\]\n- two'), ['• √x', '', '• two'])
})

test('TeX that is not valid or cannot be written as text is shown as its source', () => {
  const sources = ['$\\frac{1}$', '$\\cancel{x_1}$', '$$ \\underbrace{a*b*c}_{n} $$', '\\(\\href{http://a.b}{x}\\)']
  for (const source of sources) assert.deepEqual(render(source), [source])
  assert.deepEqual(render('$$\n*not* a formula\n\ntext'), ['$$', 'not a formula', '', 'text'])
})

test('a formula is shown when it has ended', () => {
  assert.deepEqual(shown('So \\(x_1 + '), ['So'])
  assert.deepEqual(shown('So \\(x_1 + y\\) is'), ['So x₁ + y is'])
  assert.deepEqual(shown('It costs $5 and *more'), [`It costs $5 and ${colored('more', { italic: true })}`])
  assert.deepEqual(shown('$$\nx_1 + '), ['$$', 'x_1 +'])
  assert.deepEqual(shown('$$\nx_1 + y\n$$'), ['x₁ + y'])
})

test('a comment over several lines is coloured to its end', () => {
  const green = (text: string): string => `\x1b[32m${text}\x1b[0m`
  const lines = render('```python\ndoc = """one\ntwo\n"""\nreturn 1\n```', 60, colored)
  assert.deepEqual(lines, [
    `doc = ${green('"""one')}`,
    green('two'),
    green('"""'),
    '\x1b[35mreturn\x1b[0m \x1b[33m1\x1b[0m',
  ])
})

test('code in an unknown language is printed without colours', () => {
  for (const info of ['', 'nonsense', '../../../package', 'text']) {
    assert.deepEqual(render(`\`\`\`${info}\nif (a < b) return\n\`\`\``, 60, colored), ['if (a < b) return'])
  }
})

test('deeply nested quotes and lists are shown as text from a depth on', () => {
  assert.equal(
    render(`${'> '.repeat(2000)}x`, 60)
      .join('')
      .replaceAll(/[>│\s]/g, ''),
    'x',
  )
  const [line] = render(`${'> '.repeat(20)}x`, 80)
  assert.equal(line, `${'│ '.repeat(16)}> > > > x`)
  assert.match(render(`${'- '.repeat(2000)}x`, 60).join(''), /^(?:• ){16}- - /)
  assert.match(render('> '.repeat(500).concat('x\n').repeat(50), 60).join(''), /x$/)
})

test('a table with more than 60 columns is shown as text', () => {
  const table = (columns: number): string =>
    `${'|a'.repeat(columns)}|\n${'|-'.repeat(columns)}|\n${'|b'.repeat(columns)}|`
  assert.doesNotMatch(render(table(60), 300).join('\n'), /\|/)
  assert.match(render(table(61), 300).join('\n'), /\|/)
})

test('link labels with names of object properties are text', () => {
  assert.deepEqual(render('[constructor] [toString][] [hasOwnProperty]'), [
    '[constructor] [toString][] [hasOwnProperty]',
  ])
  assert.deepEqual(render('[__proto__]: http://a.b\n\n[x][__proto__]'), ['x (http://a.b)'])
})

/** The patterns that take parsers time by the square of their length, or overflow their stack. */
const patterns: Record<string, [start: string, repeated: string, end?: string]> = {
  quotes: ['', '> ', 'x'],
  'lines of quotes': ['', `${'> '.repeat(100)}x\n`],
  items: ['', '- ', 'x'],
  numbers: ['', '1. ', 'x'],
  emphasis: ['', '*a '],
  marks: ['', '**`[_~'],
  brackets: ['', '[ !['],
  links: ['', '[a](b) '],
  parentheses: ['[a](', '('],
  backticks: ['', '` `` ``` '],
  tags: ['', '<a '],
  addresses: ['', 'http://a.b a@b. www.a '],
  spaces: ['', ' ', 'x'],
  'a heading of spaces': ['# ', ' ', 'x'],
  'a heading of marks': ['# ', '#', 'x'],
  'table cells': ['', '|a', `\n${'|-'.repeat(20_000)}`],
  'table rows': ['|a|b|\n|-|-|\n', '| x | y |\n'],
  'table spaces': ['|a|\n|-', ' ', 'x'],
  definitions: ['', '[a]: b "c"\n'],
  'a long line of code': ['```js\n', '"a" + '],
  'a long comment': ['```js\n/*', ' x\n'],
  elements: ['', '<sub>a '],
  'elements that end': ['', '<b>a</b></i> '],
  'folded parts': ['', '<details>\n'],
  html: ['<div>\n', '<b>\n'],
  'short lines': ['', 'a\n'],
  'a long word': ['', 'a'],
  'wide characters': ['', '日'],
  'combining characters': ['a', '\u0301'],
  dollars: ['', '$a '],
  formulas: ['', '$a_1$ '],
  'open formulas': ['', '\\(a '],
  'lines of an open formula': ['$$\n', 'a\n'],
}

for (const [name, [start, repeated, end = '']] of Object.entries(patterns)) {
  test(`the renderer is linear in ${name}`, () => {
    const cost = (length: number): number => {
      const cpuTime = startCpuTime()
      const text = start + repeated.repeat(length / repeated.length) + end
      const stream = new MarkdownStream({ columns: 80, paint: colored })
      for (let at = 0; at < text.length; at += 500) {
        stream.push(text.slice(at, at + 500))
        stream.frame(22)
      }
      stream.end()
      return cpuTime()
    }
    // Four times the text: 4 if linear, 16 if quadratic. Short times are mostly compilation and garbage collection.
    const small = cost(10_000)
    const large = cost(40_000)
    assert.ok(large < 12 * small + 500, `${small} ms, then ${large} ms`)
  })
}

const words = 'one two three four five six seven eight nine ten'

test('a block that is arriving is wrapped to a new width', () => {
  for (const prefix of ['', '- ', '> ', '1. a\n   - ']) {
    const stream = new MarkdownStream({ columns: 60, paint: plainPainter })
    stream.push(prefix + words)
    stream.frame(10)
    stream.resize(24)
    const { live } = stream.frame(10)
    assert.deepEqual(live, render(prefix + words, 24))
    stream.push(` ${words}`)
    assert.deepEqual(stream.end(), render(`${prefix}${words} ${words}`, 24))
  }
})

test('a block whose beginning was handed out keeps its width, and the next has the new one', () => {
  const stream = new MarkdownStream({ columns: 24, paint: plainPainter })
  stream.push(words)
  const { done } = stream.frame(1)
  assert.notDeepEqual(done, [])
  stream.resize(60)
  stream.push(`\n\n${words}`)
  assert.deepEqual([...done, ...stream.end()], [...render(words, 24), '', ...render(words, 60)])
})
