// Writes pictures of every view, light, dark and on a phone, into a folder: npm run console:shots -- FOLDER
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import Anthropic from 'colloquy'
import { type Engine, script } from 'colloquy/engines'
import { apiError } from 'colloquy/protocol'
import { chromiumPath, launch, openPage, replied } from './browser.ts'
import { type Site, buildConsole, openSite } from './site.ts'

const [folder = 'console-shots'] = process.argv.slice(2)
const dayMs = 86_400_000

const screens = [
  { name: 'light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 390, height: 780 }, colorScheme: 'light' },
] as const

const replies = [
  [
    'Two ways, depending on how much you know about the input.\n\n**With a fixed format**, give the layout of the reference time:',
    '```go\nt, err := time.Parse("2 Jan", "3 Feb")\nif err != nil {\n\treturn fmt.Errorf("cannot parse the date: %w", err)\n}\n```',
    'The year is 0 then, so add it from the context.\n\n**With several formats**, try them in turn:\n\n| layout | reads |\n|---|---|\n| `2 Jan` | 3 Feb |\n| `2 January 2006` | 3 February 2026 |\n| `2006-01-02` | 2026-02-03 |',
  ].join('\n\n'),
  'Add a list of layouts and stop at the first one that fits. A `switch` on the length is faster, but harder to read.',
  'In short: `time.ParseInLocation` takes the zone of the user, and everything else stays the same.',
]

const titles = ['A letter to the tax office', 'Three days in Kyoto', 'Regular expressions for dates', 'Weekly menu']
const settings = { model: 'claude-opus-4-8', max_tokens: 1024 }

await main()

async function main(): Promise<void> {
  if (chromiumPath === undefined)
    throw new Error('Cannot take pictures: there is no Chromium. apt-get install chromium')
  await mkdir(folder, { recursive: true })
  const clock = { now: Date.now(), isFilling: false }
  const pages = await buildConsole()
  const site = await openSite(pages, demoEngine(clock), { now: () => clock.now })
  const browser = await launch()
  try {
    await fillLedger(site.url, clock)
    for (const title of titles) {
      const chat = await site.conversations.create(settings)
      await chat.send(title)
      if (title === titles[1]) await chat.update({ shelf: 'pinned' })
    }
    for (const screen of screens) await takeAll(browser, site, screen)
  } finally {
    await browser.close()
    await site.remove()
    await rm(pages, { recursive: true, force: true })
  }
}

/** The clock of the ledger. While it is filled, replies take time on it alone. */
interface Clock {
  now: number
  isFilling: boolean
}

/** Replies to the last question, as fast as a model would. */
function demoEngine(clock: Clock): Engine {
  let count = 0
  return async function* demo(params, context) {
    const random = (++count * 7_919) % 97
    const usage = {
      cache_creation_input_tokens: 800,
      cache_read_input_tokens: 2_000 + random * 40,
      input_tokens: 350,
      output_tokens: 200 + random * 11,
    }
    if (clock.isFilling && count % 23 === 0) throw apiError('overloaded_error', 'Overloaded')
    const question = JSON.stringify(params.messages.at(-1))
    const content = question.includes('Feb') ? replies[0]! : question.includes('layouts') ? replies[1]! : replies[2]!
    if (clock.isFilling) clock.now += 300 + random * 6
    else await setTimeout(80 + (random % 60))
    for await (const event of script([{ content, usage }])(params, context)) {
      if (event.type === 'message_delta' && clock.isFilling) clock.now += usage.output_tokens * 9
      else if (event.type === 'content_block_delta' && !clock.isFilling) await setTimeout(4)
      yield event
    }
  }
}

/** A month of requests, fewer at weekends. */
async function fillLedger(baseURL: string, clock: Clock): Promise<void> {
  const client = new Anthropic({ baseURL, apiKey: 'any', maxRetries: 0 })
  const models = ['claude-opus-4-8', 'claude-haiku-4-5', 'claude-sonnet-4-6']
  const today = clock.now
  clock.isFilling = true
  for (let day = 29; day >= 0; day--) {
    clock.now = today - day * dayMs
    const isWeekend = [0, 6].includes(new Date(clock.now).getUTCDay())
    const count = isWeekend ? 2 : 4 + ((day * 7) % 5)
    for (let sent = 0; sent < count; sent++) {
      const model = models[(day + sent) % models.length]!
      const messages = [{ role: 'user' as const, content: 'Hello' }]
      // Some of them fail, as they do in life.
      await client.messages.create({ model, max_tokens: 2_000, messages }).catch(() => undefined)
    }
  }
  clock.isFilling = false
  clock.now = today
}

async function takeAll(browser: Browser, site: Site, { name, ...options }: (typeof screens)[number]): Promise<void> {
  const { page } = await openPage(browser, options)
  const take = (view: string): Promise<Buffer> => page.screenshot({ path: join(folder, `${view}-${name}.png`) })
  await page.goto(site.newLink())
  await page.getByRole('heading', { name: 'New chat' }).waitFor()
  await take('new')
  await page.locator('#composer').fill('How do I parse “3 Feb” in Go?')
  await page.keyboard.press('Enter')
  await replied(page)
  await page.locator('#composer').fill('And with several layouts?')
  await page.keyboard.press('Enter')
  await page.locator('article.reply').nth(1).waitFor()
  await replied(page)
  // The list learns of the end a moment later.
  await page.locator('nav.chats').getByText('writing …').waitFor({ state: 'detached' })
  await page.locator('.transcript').evaluate((element) => element.scrollTo(0, 0))
  await take('chat')
  await takeInspector(page, take)
  await page.keyboard.press('Control+k')
  await page.getByLabel('Search chats and commands').fill('dates')
  await page.locator('#hits li').nth(1).waitFor()
  await take('palette')
  await page.keyboard.press('Escape')
  const others = page.locator('article.reply').last().getByLabel('Retry with another model')
  await others.focus()
  await others.selectOption('beside claude-sonnet-4-6')
  await page.locator('.columns footer').nth(1).waitFor()
  await take('side-by-side')
  // As tall as the view, as it scrolls inside itself.
  const heights: Record<string, number> = { usage: 1_210, settings: 1_500 }
  for (const view of ['usage', 'requests', 'settings']) {
    await page.setViewportSize({ ...options.viewport, height: heights[view] ?? options.viewport.height })
    await page.goto(`${site.url}/${view}${view === 'usage' ? '?period=30d' : ''}`)
    await page.locator({ usage: '.tiles', requests: 'table.cards', settings: '.group' }[view]!).first().waitFor()
    await setTimeout(100)
    await take(view)
  }
  process.stderr.write(`${name}: done\n`)
  await page.context().close()
}

async function takeInspector(page: Page, take: (view: string) => Promise<Buffer>): Promise<void> {
  await page.keyboard.press('Control+.')
  await page.locator('.json-tree').waitFor()
  await page.getByLabel('Which request').selectOption({ index: 1 })
  await page.getByRole('button', { name: 'Events' }).click()
  await page.locator('table.events').waitFor()
  await take('inspector')
  await page.getByRole('tab', { name: 'Tree' }).click()
  await page.locator('.tree').waitFor()
  await take('tree')
  await page.getByRole('tab', { name: 'Request' }).click()
  await page.keyboard.press('Control+.')
}
