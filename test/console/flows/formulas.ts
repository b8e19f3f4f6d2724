import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { script } from 'colloquy/engines'
import { ask } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

describe('formulas in a browser', { skip }, () => {
  test('TeX in a reply is shown as formulas, and is loaded with the first one', async () => {
    await withSite(script([prices, formulas]), async ({ newLink, open }) => {
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
      assert.deepEqual(errors, [])
    })
  })
})

const prices = 'It costs $5 or $10, US$7 abroad, and $HOME/$USER is a folder.'

const formulas = [
  'Energy is $E = mc^2$, and \\(x \\in \\mathbb{R}\\):',
  '$$\n\\begin{aligned}\na &= b\n+ c \\\\\n&= d\n\\end{aligned}\n$$',
  'The sum\n\\[ \\sum_{i=1}^n i \\]\nis known.',
  '- $\\alpha$ in a list',
  '| $\\frac{1}{2}$ | `$not$` |\n|---|---|',
  'This is not valid: $\\frac{1}$',
].join('\n\n')
