// Builds the site and reads it as a browser does. That takes half a minute, so `npm test` skips it without COLLOQUY_LONG.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import { type Browser, chromium } from 'playwright-core'
import { findChromium } from './runtimes/chromium.ts'
import { root } from './source.ts'

const skip = process.env['COLLOQUY_LONG'] ? false : 'NOT TESTED: the site; COLLOQUY_LONG=1 builds it'
const site = join(root, 'docs/reference/site')
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']
const shown = ['index.html', 'documents/Quick_starts.html', 'functions/colloquy_conversation.openConversations.html']

describe('the site', { skip }, () => {
  before(() => {
    if (!skip) execFileSync(process.execPath, [join(root, 'docs/reference/build.ts'), '--site'], { stdio: 'pipe' })
  })

  test('has no dead link', () => {
    const pages = globSync('**/*.html', { cwd: site })
    assert.ok(pages.length > 200)
    const ids = new Map(pages.map((page) => [page, idsOf(page)]))
    const dead = pages.flatMap((page) =>
      linksOf(page)
        .filter(({ path, anchor }) => {
          if (!existsSync(join(site, path))) return true
          return anchor !== '' && path.endsWith('.html') && !ids.get(path)?.has(anchor)
        })
        .map(({ path, anchor }) => `${page}: ${path}#${anchor}`),
    )
    assert.deepEqual(dead, [])
  })

  test('has a page for each page of docs', () => {
    const headings = globSync('docs/*.md', { cwd: root }).map(
      (file) => /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8'))![1]!,
    )
    const titles = globSync('documents/*.html', { cwd: site }).map((file) => titleOf(file))
    const missing = headings.filter((heading) => heading !== 'Documentation' && !titles.includes(heading))
    assert.deepEqual(missing, [])
  })

  describe('in Chromium', { skip: skip || findChromium().skip }, () => {
    let browser: Browser
    before(async () => {
      browser = await chromium.launch({ executablePath: findChromium().program!, args: ['--no-sandbox'] })
    })
    after(() => browser.close())

    for (const colorScheme of ['light', 'dark'] as const)
      test(`axe finds nothing in the ${colorScheme} theme`, async () => {
        const page = await browser.newPage({ colorScheme })
        for (const file of shown) {
          await page.goto(pathToFileURL(join(site, file)).href)
          await page.evaluate(axe.source)
          const violations = await page.evaluate(async (tags) => {
            const { axe: loaded } = globalThis as unknown as { axe: typeof axe }
            const results = await loaded.run({ runOnly: tags })
            return results.violations.map(
              ({ id, nodes }) =>
                `${id}: ${nodes
                  .map(({ target }) => target.join(' '))
                  .slice(0, 4)
                  .join(', ')}`,
            )
          }, rules)
          assert.deepEqual(violations, [], file)
        }
        await page.close()
      })

    test('a reader without JavaScript has the text and the list of pages', async () => {
      const context = await browser.newContext({ javaScriptEnabled: false })
      const page = await context.newPage()
      await page.goto(pathToFileURL(join(site, 'index.html')).href)
      assert.ok(await page.getByRole('heading', { name: 'Four programs' }).isVisible())
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Quick starts' }).click()
      assert.ok(await page.getByRole('link', { name: 'A Node script' }).first().isVisible())
      await context.close()
    })

    test('the search finds a guide and an exported name', async () => {
      const page = await browser.newPage()
      await page.goto(pathToFileURL(join(site, 'index.html')).href)
      for (const [words, found] of [
        ['cacheAccounting', 'Configuration'],
        ['openConversations', 'openConversations'],
      ] as const) {
        await page.locator('#tsd-search-trigger').click()
        await page.locator('#tsd-search-input').fill(words)
        await page.locator('#tsd-search-results li', { hasText: found }).first().waitFor()
        await page.keyboard.press('Escape')
      }
      await page.close()
    })
  })
})

function textOf(page: string): string {
  return readFileSync(join(site, page), 'utf8')
}

function titleOf(page: string): string {
  return /<title>(.*?)(?: \| Colloquy)?<\/title>/
    .exec(textOf(page))![1]!
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

function idsOf(page: string): Set<string> {
  return new Set([...textOf(page).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!))
}

/** The files of the site that a page links to, relative to the site. */
function linksOf(page: string): { path: string; anchor: string }[] {
  return [...textOf(page).matchAll(/\s(?:href|src)="([^"]*)"/g)]
    .map(([, target]) => target!.replaceAll('&amp;', '&'))
    .filter((target) => !/^(?:[a-z]+:|\/\/)/.test(target) && target !== '' && target !== '#')
    .map((target) => {
      const [path = '', anchor = ''] = target.split('#')
      const file = path.split('?')[0]!
      return { path: file === '' ? page : normalize(join(dirname(page), file)), anchor: decodeURIComponent(anchor) }
    })
}
