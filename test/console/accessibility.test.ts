import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { script } from 'colloquy/engines'
import { ask, chromiumPath, launch, openPage } from './browser.ts'
import { type Site, buildConsole, openSite } from './site.ts'

const skip = chromiumPath === undefined && 'needs Chromium: apt-get install chromium'
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const screens =
  process.env.COLLOQUY_LONG === undefined
    ? ([
        [1280, 'light'],
        [360, 'dark'],
      ] as const)
    : ([
        [1280, 'light'],
        [1280, 'dark'],
        [360, 'light'],
        [360, 'dark'],
      ] as const)

describe('the console is accessible', { skip }, () => {
  let pages: string
  let browser: Browser
  let site: Site
  before(async () => {
    pages = await buildConsole()
    browser = await launch()
    site = await openSite(pages, script(Array.from({ length: 8 }, () => reply)))
  })
  after(async () => {
    await browser?.close()
    await site?.remove()
    await rm(pages, { recursive: true, force: true })
  })

  for (const [width, colorScheme] of screens) {
    test(`every view has no violation and does not scroll sideways, ${width} pixels wide, ${colorScheme}`, async () => {
      const { page } = await openPage(browser, { viewport: { width, height: 780 }, colorScheme, bypassCSP: true })
      await page.goto(site.newLink())
      await page.getByRole('heading', { name: 'New chat' }).waitFor()
      await check(page, 'a new chat')
      await ask(page, 'Show me everything')
      await page.getByRole('button', { name: /why\?/ }).click()
      await page.locator('table.why').waitFor()
      await check(page, 'a chat')
      await page.getByRole('button', { name: 'Inspect' }).click()
      for (const name of ['Tree', 'Info', 'Request']) {
        await page.getByRole('tab', { name }).click()
        await check(page, `the inspector, ${name}`)
      }
      await page.getByRole('button', { name: 'Close the inspector' }).click()
      await dialog(page, 'Control+k', 'the palette')
      await dialog(page, 'Control+/', 'the keys')
      await page.getByRole('button', { name: 'Settings', exact: true }).click()
      await check(page, 'the settings of a chat')
      for (const path of ['usage', 'requests', 'settings']) {
        await page.goto(`${site.url}/${path}`)
        await page.locator('h1').waitFor()
        await check(page, path)
      }
      await page.context().close()
    })
  }
})

async function dialog(page: Page, keys: string, name: string): Promise<void> {
  await page.keyboard.press(keys)
  await page.locator('dialog').waitFor()
  await check(page, name)
  await page.keyboard.press('Escape')
  await page.locator('dialog').waitFor({ state: 'detached' })
}

async function check(page: Page, name: string): Promise<void> {
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async (tags) => {
    const { axe: loaded } = globalThis as unknown as { axe: typeof axe }
    const results = await loaded.run({ runOnly: tags })
    return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  }, rules)
  assert.deepEqual(violations, [], name)
  const [wanted, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const)
  assert.ok(wanted <= width, `${name} is ${wanted} pixels wide on a screen of ${width}`)
}

const reply = [
  '# A heading\n\nText with *emphasis*, `code` and a [link](https://example.com/).',
  '```ts\nconst answer: number = 6 * 7 // the answer\n```',
  '| name | value |\n|---|---:|\n| a | 1 |',
  '- [x] done\n- [ ] open\n\n1. first\n2. second\n\n> a quote\n\n---',
].join('\n\n')
