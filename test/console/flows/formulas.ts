import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { script } from 'colloquy/engines'
import type { ContentBlock, Usage } from 'colloquy/protocol'
import { ask } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

describe('replies in a browser', { skip }, () => {
  test('a reply shows TeX as formulas, sources as numbers in its text, and why it was cut off', async () => {
    await withSite(script([prices, formulas, cited]), async ({ newLink, open }) => {
      const { page, errors } = await open()
      const files: string[] = []
      page.on('request', (request) => files.push(new URL(request.url()).pathname))
      await page.goto(newLink())
      await ask(page, 'What does it cost?')
      const replies = page.locator('article.reply .markdown')
      assert.equal(await replies.first().innerText(), prices)
      assert.equal(files.filter((file) => file.includes('mathml')).length, 0)
      await ask(page, 'Show me formulas')
      await replies.last().locator('math').nth(5).waitFor()
      assert.ok(files.some((file) => file.includes('mathml')))
      const math = await replies
        .last()
        .locator('math')
        .evaluateAll((all) => all.map(({ textContent }) => textContent))
      assert.deepEqual(math, ['E=mc2', 'x∈ℝ', 'a=b+c=d', '∑i=1ni', 'α', '12'])
      const shown = await replies
        .last()
        .locator('math')
        .evaluateAll((all) => all.map(({ namespaceURI }) => namespaceURI))
      assert.deepEqual(new Set(shown), new Set(['http://www.w3.org/1998/Math/MathML']))
      assert.deepEqual(await replies.last().locator('code').allInnerTexts(), ['$not$', '\\frac{1}'])
      const html = replies.last().locator('sub, kbd, sup, b, img, summary, details li, details em')
      const elements = await html.evaluateAll((all) =>
        all.map(({ tagName, textContent, attributes: { length } }) => [tagName, textContent, length]),
      )
      assert.deepEqual(elements, [
        ['SUB', '2', 0],
        ['KBD', 'Ctrl', 0],
        ['SUP', 'note', 0],
        ['SUMMARY', 'More text', 0],
        ['EM', 'text', 0],
        ['LI', 'folded', 0],
        ['SUP', 'note', 0],
      ])
      await replies.last().getByText('<b>an open tag <img src=x>').waitFor()
      const notes = replies.last().getByRole('link', { name: 'Footnote note' })
      const focused = (): Promise<boolean[]> =>
        notes.evaluateAll((all) => all.map((note) => note === document.activeElement))
      await notes.first().click()
      assert.deepEqual(await focused(), [false, true], 'a number leads to its note')
      await notes.last().click()
      assert.deepEqual(await focused(), [true, false], 'and the note back to the text')
      await page.emulateMedia({ media: 'print' })
      assert.equal(await replies.last().getByText('in the middle').isVisible(), true, 'a centred column is printed')
      assert.equal(await replies.last().getByText('folded').isVisible(), true, 'a folded part is printed')
      await page.emulateMedia({ media: null })
      await ask(page, 'Where does this come from?')
      const reply = page.locator('article.reply').last()
      assert.equal(await replies.last().innerText(), 'Born in 1923[1], he wrote[1][2].\n\nTwo\nlines')
      assert.deepEqual(await reply.locator('sup a').evaluateAll(hrefs), Array(2).fill('https://example.com/life'))
      assert.deepEqual(await reply.locator('.citations li').allInnerTexts(), ['A life', 'Notes'])
      await reply.getByText('Cut off after 40 tokens, the longest reply that this chat allows.').waitFor()
      assert.deepEqual(errors, [])
    })
  })
})

/** Runs in the page. */
function hrefs(links: Element[]): string[] {
  return links.map((link) => (link as HTMLAnchorElement).href)
}

const prices = 'It costs $5 or $10, US$7 abroad, and $HOME/$USER is a folder.'

const formulas = [
  'Energy is $E = mc^2$, and \\(x \\in \\mathbb{R}\\):',
  '$$\n\\begin{aligned}\na &= b\n+ c \\\\\n&= d\n\\end{aligned}\n$$',
  'The sum\n\\[ \\sum_{i=1}^n i \\]\nis known.',
  '- $\\alpha$ in a list',
  '| $\\frac{1}{2}$ | `$not$` |\n|---|:-:|\n| | in the middle |',
  'This is not valid: $\\frac{1}$',
  'H<sub onclick="alert(1)">2</sub>O, <kbd>Ctrl</kbd>, a note[^note] and <b>an open tag <img src=x>',
  '<details open>\n<summary>More *text*</summary>\n\n- folded\n\n</details>',
  '[^note]: The text of the note',
].join('\n\n')

const life = { type: 'web_search_result_location', url: 'https://example.com/life', title: 'A life' }
const notes = { type: 'char_location', document_index: 0, document_title: 'Notes', start_char_index: 0 }
const citations = [
  { ...life, encrypted_index: '', cited_text: 'born in 1923' },
  { ...notes, end_char_index: 5, file_id: null, cited_text: 'wrote' },
]

/** The API cuts a text at its citations. */
const cited = {
  content: [
    { type: 'text', text: 'Born ', citations: null },
    { type: 'text', text: 'in 1923', citations: citations.slice(0, 1) },
    { type: 'text', text: ', he wrote', citations },
    { type: 'text', text: '.\n\nTwo<br>lines', citations: null },
  ] as ContentBlock[],
  stop_reason: 'max_tokens' as const,
  usage: { input_tokens: 10, output_tokens: 40 } as Usage,
}
