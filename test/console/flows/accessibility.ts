import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { script } from 'colloquy/engines'
import { sampled } from '../../sampled.ts'
import { ask, showCost } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const screens = [
  [1280, 'light'],
  [1280, 'dark'],
  [360, 'light'],
  [360, 'dark'],
] as const

describe('the console is accessible', { skip }, () => {
  for (const [width, colorScheme] of sampled(screens, 4)) {
    test(`every view has no violation and does not scroll sideways, ${width} pixels wide, ${colorScheme}`, async () => {
      await withSite(script([reply, reply]), async ({ newLink, url, open }) => {
        const { page } = await open({ viewport: { width, height: 780 }, colorScheme, bypassCSP: true })
        await page.addInitScript(axe.source)
        await page.goto(`${url}/`)
        await page.getByRole('heading', { name: 'Sign in' }).waitFor()
        await check(page, 'the page without a session')
        await page.goto(newLink())
        await page.getByRole('heading', { name: 'Welcome' }).waitFor()
        await check(page, 'a first visit')
        await checkChat(page)
        await sendRequest(url)
        await checkViews(page, url)
      })
    })
  }

  test('no view scrolls sideways at 320 pixels, and chosen things stand out with forced colours', async () => {
    await withSite(script([reply, reply]), async ({ newLink, url, open }) => {
      const { page } = await open({
        viewport: { width: 320, height: 640 },
        forcedColors: 'active',
        reducedMotion: 'reduce',
      })
      await page.goto(newLink())
      await ask(page, `Show me everything ${'longwordwithoutspaces'.repeat(10)}`)
      await page.locator('math').nth(1).waitFor()
      await checkReflow(page, 'a chat')
      assert.deepEqual(await page.locator('li.task').allInnerTexts(), ['done', 'open'])
      const links = await page.locator('header.top nav a').evaluateAll(linesOf)
      assert.deepEqual(links, [1, 1, 1, 1], 'a link of the header is one line')
      const hidden = await page.locator('header.top nav').evaluate((nav) => nav.scrollWidth - nav.clientWidth)
      assert.equal(hidden, 0, 'no link of the header is cut off')
      const bubble = page.locator('article.question .block')
      assert.notEqual(await bubble.evaluate((element) => getComputedStyle(element).outlineStyle), 'none')
      // A tablet, and 1440 pixels at 200 %.
      await page.setViewportSize({ width: 660, height: 640 })
      await page.locator('nav.chats').waitFor()
      assert.deepEqual(await page.locator('header.top :is(nav a, .label)').evaluateAll(linesOf), [1, 1, 1, 1, 1])
      const top = async (name: string): Promise<number> => (await page.getByRole('button', { name }).boundingBox())!.y
      assert.equal(await top('Inspect'), await top('Settings of this chat'), 'the head of a chat is one line')
      const { width } = (await page.locator('button.title').boundingBox())!
      assert.ok(width > 120, `the title has ${width} pixels`)
      await checkReflow(page, 'a chat beside the list')
      await page.setViewportSize({ width: 320, height: 640 })
      const cells = await page.locator('.markdown td, .markdown th').evaluateAll(linesOf)
      assert.deepEqual(cells, Array(28).fill(1), 'a word of a wide table is one line')
      const code = await page.locator('figure.code').evaluate((figure) => {
        getSelection()!.selectAllChildren(figure)
        return getSelection()!.toString()
      })
      assert.equal(code.trim(), 'const answer: number = 6 * 7 // the answer', 'what is copied has no labels')
      // 1280 × 1024 pixels, enlarged by 400 %.
      await page.setViewportSize({ width: 320, height: 256 })
      const seen = await page.locator('.transcript').boundingBox()
      assert.ok(seen!.height > 100, `${seen!.height} pixels for the messages`)
      await page.setViewportSize({ width: 320, height: 640 })
      const buffer = Buffer.from('text')
      const files = Array.from({ length: 20 }, (_, index) => ({
        name: `a long name ${index}.txt`,
        mimeType: 'text/plain',
        buffer,
      }))
      await page.locator('input[type=file]').setInputFiles(files)
      await page.locator('ul.files').getByText('name 19.txt').waitFor()
      const { y } = (await page.getByRole('button', { name: 'Send' }).boundingBox())!
      assert.ok(y < 640, `the button is ${y} pixels down, below many files`)
      await page.getByRole('button', { name: 'Inspect' }).click()
      await page.locator('.json-tree').waitFor()
      await checkReflow(page, 'the inspector')
      const tab = page.getByRole('tab', { selected: true })
      assert.notEqual(await tab.evaluate((element) => getComputedStyle(element).outlineStyle), 'none')
      await page.getByRole('button', { name: 'Close the inspector' }).click()
      for (const path of ['usage', 'requests', 'settings']) {
        await page.goto(`${url}/${path}`)
        await page.locator('h1').waitFor()
        await checkReflow(page, path)
      }
      const current = page.locator('header.top a[aria-current]')
      assert.notEqual(await current.evaluate((element) => getComputedStyle(element).outlineStyle), 'none')
      assert.equal(await current.evaluate((element) => getComputedStyle(element).animationName), 'none')
    })
  })

  test('a status says when a reply starts and ends, and the transcript is not read while it grows', async () => {
    await withSite(script([reply]), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.evaluate(() => {
        const said: string[] = []
        Object.assign(globalThis, { said })
        const status = document.querySelector('[role=status]')!
        new MutationObserver(() => said.push(status.textContent ?? '')).observe(status, {
          childList: true,
          characterData: true,
          subtree: true,
        })
      })
      await ask(page, 'Show me everything')
      const said = await page.evaluate(() => (globalThis as unknown as { said: string[] }).said)
      assert.match(said.join('|'), /Reply started.*\|Reply finished, \d+ words, /)
      assert.equal(await page.locator('[role=log]').getAttribute('aria-live'), 'off')
      assert.deepEqual(
        await page
          .locator('article')
          .evaluateAll((all) =>
            all.map((one) =>
              document.getElementById(one.getAttribute('aria-labelledby')!)?.textContent?.replace(/, .*/, ''),
            ),
          ),
        ['You', 'Claude Opus 4.8'],
      )
    })
  })
})

async function checkChat(page: Page): Promise<void> {
  await ask(page, 'Show me everything')
  await page.locator('math').nth(1).waitFor()
  await showCost(page)
  await check(page, 'a chat', [])
  await page.getByRole('button', { name: 'Inspect' }).click()
  for (const name of ['Tree', 'Info', 'Request']) {
    await page.getByRole('tab', { name }).click()
    await check(page, `the inspector, ${name}`)
  }
  await page.getByLabel('Which request').selectOption({ index: 1 })
  await page.getByRole('button', { name: 'Events' }).click()
  await page.locator('table.events').waitFor()
  await check(page, 'the events of a reply')
  await page.getByRole('button', { name: 'Close the inspector' }).click()
  await dialog(page, 'Control+k', 'the palette')
  await dialog(page, 'Control+/', 'the keys')
  await page.getByRole('button', { name: 'Settings of this chat' }).click()
  await check(page, 'the settings of a chat')
  await page.keyboard.press('Escape')
  const others = page.getByLabel('Retry with another model')
  await others.focus()
  await others.selectOption('beside claude-sonnet-4-6')
  await page.locator('.columns footer').nth(1).waitFor()
  await check(page, 'replies side by side')
}

async function checkViews(page: Page, url: string): Promise<void> {
  for (const path of ['usage', 'usage?model=none', 'requests', 'settings', 'c/missing']) {
    await page.goto(`${url}/${path}`)
    await page.locator('h1').first().waitFor()
    await check(page, path)
  }
  await page.goto(`${url}/requests`)
  await page.locator('table.cards tbody a').first().click()
  await page.getByRole('heading', { name: 'Raw' }).waitFor()
  await check(page, 'a request')
}

async function sendRequest(url: string): Promise<void> {
  const headers = { 'anthropic-version': '2023-06-01', 'content-type': 'application/json' }
  const body = JSON.stringify({ model: 'claude-opus-4-8', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] })
  await (await fetch(`${url}/v1/messages`, { method: 'POST', headers, body })).text()
}

async function checkReflow(page: Page, name: string): Promise<void> {
  const { clientWidth, clientHeight, scrollWidth, scrollHeight } = await page.evaluate(() => {
    const { clientWidth, clientHeight, scrollWidth, scrollHeight } = document.documentElement
    return { clientWidth, clientHeight, scrollWidth, scrollHeight }
  })
  assert.ok(scrollWidth <= clientWidth, `${name} is ${scrollWidth} pixels wide on a screen of ${clientWidth}`)
  assert.ok(scrollHeight <= clientHeight, `${name} is ${scrollHeight} pixels high on a screen of ${clientHeight}`)
  const hidden = await page.locator('main').evaluate((main) => main.scrollWidth - main.clientWidth)
  assert.equal(hidden, 0, `${hidden} pixels of ${name} are cut off`)
}

/** The number of lines of each element. Runs in the page. */
function linesOf(elements: readonly Element[]): number[] {
  return elements.map((element) => {
    const range = document.createRange()
    range.selectNodeContents(element)
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size
  })
}

async function dialog(page: Page, keys: string, name: string): Promise<void> {
  await page.keyboard.press(keys)
  await page.locator('dialog').waitFor()
  await check(page, name)
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
}

/** @param exclude parts that are not looked at. Default: the texts of replies, which are the same in every view. */
async function check(page: Page, name: string, exclude: readonly string[] = ['.markdown']): Promise<void> {
  const violations = await page.evaluate(
    async ({ tags, parts }) => {
      const { axe: loaded } = globalThis as unknown as { axe: typeof axe }
      const results = await loaded.run({ exclude: parts }, { runOnly: tags, resultTypes: ['violations'] })
      return results.violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
      )
    },
    { tags: rules, parts: [...exclude] },
  )
  assert.deepEqual(violations, [], name)
  await checkReflow(page, name)
}

const reply = [
  '# A heading\n\nText with *emphasis*, `code` and a [link](https://example.com/).',
  '```ts\nconst answer: number = 6 * 7 // the answer\n```',
  `|${' name |'.repeat(14)}\n|${'---|'.repeat(14)}\n|${' value |'.repeat(14)}`,
  `A formula, $a_1$, and a long one:\n\n$$${'a_1 + '.repeat(60)}b$$`,
  '- [x] done\n- [ ] open\n\n1. first\n2. second\n\n> a quote\n\n---',
].join('\n\n')
