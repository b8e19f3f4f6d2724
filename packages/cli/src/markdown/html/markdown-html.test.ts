import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { markdownHtml } from './markdown-html.ts'

test('markdownHtml() renders blocks and inline text', () => {
  const html = markdownHtml(
    '# A\n\n**b** `c<d` &amp; ~~e~~\n\n1. x\n   - [x] y\n\n> q\n\n|h|i|\n|-|-:|\n|1|2|\n\n```js\na < b\n```\n\n```go\nreturn <b>\n```\n\n```\nreturn <b>\n```',
  )
  for (const part of [
    '<h3>A</h3>',
    '<strong>b</strong> <code>c&lt;d</code> &amp; <del>e</del>',
    '<ol start="1"><li>x',
    '<input type="checkbox" disabled checked> y',
    '<blockquote><p>q</p></blockquote>',
    '<th align="right">i</th>',
    '<pre><code>a &lt; b</code></pre>',
    '<pre><code><span class="keyword">return</span> &lt;b&gt;</code></pre>',
    '<pre><code>return &lt;b&gt;</code></pre>',
  ])
    assert.ok(html.includes(part), `${part} in ${html}`)
})

test('markdownHtml() writes formulas as MathML, and invalid TeX as its source', () => {
  assert.match(
    markdownHtml('So $x \\le \\frac{a}{2}$.'),
    /^<p>So <math><mrow>.*<mfrac><mi>a<\/mi><mn>2<\/mn><\/mfrac>.*<\/math>\.<\/p>$/,
  )
  assert.match(markdownHtml('$$\nx\n$$'), /^<div><math display="block"/)
  assert.equal(markdownHtml('$\\frac{1}$ for $5'), '<p><code>$\\frac{1}$</code> for $5</p>')
  assert.doesNotMatch(markdownHtml('$\\href{javascript:alert(1)}{x}$'), /href=/)
})

test('markdownHtml() writes the elements that change the look of text or fold it, without attributes', () => {
  const shown = (text: string): string => markdownHtml(text).replaceAll('\n', '')
  assert.equal(
    shown('H<sub onclick="a()">2</sub>O <U>*a*<b>b</U></b> <mark/>'),
    '<p>H<sub>2</sub>O <u><em>a</em>&lt;b&gt;b</u>&lt;/b&gt; &lt;mark/&gt;</p>',
  )
  assert.equal(
    shown('a[^1] [^a] [^Note-2]\n\n[^1]: One\n[^note-2]: Two\nlines'),
    '<p>a<sup>1</sup> [^a] <sup>Note-2</sup></p><p><sup>1</sup> One</p><p><sup>note-2</sup> Two<br>lines</p>',
  )
  assert.equal(
    shown('- <details open onclick="a()"><summary>*S*</summary>\n\n  - b\n  </details>\n\nc'),
    '<ul><li><details open><summary><em>S</em></summary><ul><li>b</li></ul></details></li></ul><p>c</p>',
  )
  assert.equal(
    shown('<details>\n<details>\na\n</details>\nb'),
    '<details><summary>Details</summary><details><summary>Details</summary><p>a</p></details><p>b</p></details>',
  )
})

test('markdownHtml() writes emphasis that ends in punctuation beside an East Asian letter', () => {
  const cases: [string, string][] = [
    ['**「引用」**は**大切**です', '<strong>「引用」</strong>は<strong>大切</strong>です'],
    ['これは**「引用」**', 'これは<strong>「引用」</strong>'],
    ['**강조(설명)**입니다', '<strong>강조(설명)</strong>입니다'],
    ['**“重要”**的*《书》*是', '<strong>“重要”</strong>的<em>《书》</em>是'],
    ['**(a)**\uf900, **(b)**\ufe30', '<strong>(a)</strong>\uf900, <strong>(b)</strong>\ufe30'],
    ['**「`**`」**は', '<strong>「<code>**</code>」</strong>は'],
    ['`**「a」**は', '`<strong>「a」</strong>は'],
    // Without such a letter the marks are as CommonMark has them.
    ['**(a)**b, は **「 a」 **は', '**(a)**b, は **「 a」 **は'],
  ]
  for (const [text, html] of cases) assert.equal(markdownHtml(text).trim(), `<p>${html}</p>`)
})

test('markdownHtml() writes no elements and addresses of the text', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[a](javascript:alert(1))',
    '![b](data:text/html,x)',
    '[c](https://a.b/"onclick="x)',
    '<svg onload=alert(1)>',
    '`<b>`',
    '&lt;script&gt;',
    '$\\text{<b>}$',
    '```js\n"</span><script>" // <b class="x"> &lt;script>\n```',
  ]
  for (const text of hostile) {
    const tags = [...markdownHtml(text).matchAll(/<[^>]*>/g)].map(([tag]) => tag)
    for (const tag of tags)
      assert.match(tag, /^<\/?(?:p|pre|code|span|a|math|mrow|mtext)(?: (?:href|rel|display|class)="[^"<>]*")*>$/, text)
  }
  assert.match(
    markdownHtml('![b](https://a.b/c.png)'),
    /<a href="https:\/\/a\.b\/c\.png" rel="noopener noreferrer">\[image: b\]<\/a>/,
  )
})

test('markdownHtml() keeps the text of any Markdown, at any depth', () => {
  const part = fc.constantFrom(
    '> ',
    '- ',
    'word',
    '\n',
    '**',
    '`',
    '$',
    '\\(',
    '<a>',
    '<sub>',
    '</sub>',
    '<kbd style="x">',
    '</kbd>',
    '\n<details x>',
    '<summary>',
    '</summary>',
    '</details>\n',
    '[^1]',
    '[^1]: ',
    '<svg onload=x>',
    '</p>',
    '&lt;',
    '|',
    '|-|-|\n',
    '[x](y)',
    '# ',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const open: string[] = []
      for (const [tag, slash, name = ''] of markdownHtml(parts.join('')).matchAll(/<(\/?)(\w+)[^>]*>/g)) {
        assert.match(tag, written)
        if (slash !== '') assert.equal(open.pop(), name)
        else if (!/^(?:br|hr)$/.test(name)) open.push(name)
      }
      assert.deepEqual(open, [])
    }),
  )
  assert.match(markdownHtml(`${'> '.repeat(20_000)}deep`), /deep/)
})

/** The tags that may be written. */
const written =
  /^<(?:\/?(?:p|pre|blockquote|ul|li|table|tr|strong|code|h3|h4|sub|kbd|sup|details|summary|math|div)|\/?m\w+|m\w+(?: (?:[lr]space|fence|form|separator|stretchy)="[\w.]*")+|h[rd]|br|ol start="\d+"|t[hd] align="\w+"|\/(?:ol|th|td|a)|a href="[^"]*" rel="noopener noreferrer"|math display="block"(?: class="tml-display" style="display:block math")?)>$/
