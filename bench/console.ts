import { join } from 'node:path'
import type { CDPSession, Page } from 'playwright-core'
import { openServerStore } from '@colloquy/server/store'
import { type Engine, script } from 'colloquy/engines'
import { type Visit, closeAll, skip, withSite } from '../test/console/harness.ts'

const turns = 2_000
const replyBytes = 40_000
const requests = 1_000_000

/** Measures the console in a headless Chromium: opening a long chat, painting a long reply, a month of usage, and an idle page. */
export async function* report(): AsyncGenerator<string> {
  if (skip !== false) throw new Error(`Cannot measure: ${skip}`)
  const rows = [
    ['what', 'found', 'at most'],
    ['-', '-', '-'],
    [`open a chat of ${turns.toLocaleString('en')} turns`, ...(await inSite(openLongChat)), '500 ms'],
    [`a paint of a reply of ${replyBytes / 1_000} KB`, ...(await inSite(paintLongReply)), '5 ms'],
    [`usage of ${requests.toLocaleString('en')} requests`, ...(await inSite(showUsage)), '300 ms'],
    ['the fastest timer of an idle page', ...(await inSite(idleTimers)), 'none under 1 s'],
  ]
  await closeAll()
  yield rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

async function inSite(measure: (site: Visit) => Promise<string[]>): Promise<string[]> {
  let found: string[] = []
  await withSite(longReply(), async (site) => {
    found = await measure(site)
  })
  return found
}

/** Replies with Markdown of every kind, in small pieces. */
function longReply(): Engine {
  const part = `## A part\n\nText with *emphasis*, \`code\` and a [link](https://example.com/), long enough for two lines.\n\n- one\n- two\n\n\`\`\`ts\nconst answer: number = 6 * 7\n\`\`\`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`
  const reply = part.repeat(Math.ceil(replyBytes / part.length))
  return async function* long(params, context) {
    for await (const event of script([{ content: reply }])(params, context)) {
      if (event.type === 'content_block_delta') await new Promise((resolve) => setTimeout(resolve, 8))
      yield event
    }
  }
}

async function visit({ newLink, open }: Visit): Promise<Page> {
  const { page } = await open()
  await page.goto(newLink())
  await page.locator('#composer:focus').waitFor()
  return page
}

/**
 * The median of the CPU time from a navigation until an element is there and painted: of the main thread of the page and of
 * the server together. On an idle machine nothing else takes time, as all is on this machine.
 */
async function timeTo(page: Page, url: string, selector: string): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const times: number[] = []
  for (let round = 0; round < 7; round++) {
    await page.goto('about:blank')
    const [server, busy] = [process.cpuUsage(), await busySeconds(session)]
    await page.goto(url, { waitUntil: 'commit' })
    await page.evaluate(async (wanted) => {
      while (!document.querySelector(wanted)) await new Promise(requestAnimationFrame)
      await new Promise(requestAnimationFrame)
    }, selector)
    const { user, system } = process.cpuUsage(server)
    times.push((user + system) / 1_000 + ((await busySeconds(session)) - busy) * 1_000)
  }
  return times.toSorted((a, b) => a - b)[3]!
}

async function openLongChat(site: Visit): Promise<string[]> {
  const messages = Array.from({ length: turns * 2 }, (_, index) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    content: `Message ${index} with **some** text.\n\n\`\`\`ts\nconst index = ${index}\n\`\`\`\n\nAnd a second paragraph.`,
  }))
  const chat = await site.conversations.create({ model: 'claude-opus-4-8', max_tokens: 100, messages })
  const page = await visit(site)
  return [`${Math.round(await timeTo(page, `${site.url}/c/${chat.id}`, 'article:nth-of-type(50)'))} ms`]
}

/** CPU time of scripts, styles and layout while a reply arrives, over the number of times that the page changed. */
async function paintLongReply(site: Visit): Promise<string[]> {
  const page = await visit(site)
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.evaluate(() => {
    const painted = { count: 0 }
    Object.assign(globalThis, { painted })
    let isCounted = false
    // The changes of one frame are one paint.
    const count = (): void => {
      if (!isCounted) requestAnimationFrame(() => (isCounted = false))
      if (!isCounted) painted.count++
      isCounted = true
    }
    const options = { childList: true, characterData: true, subtree: true }
    new MutationObserver(count).observe(document.querySelector('main')!, options)
  })
  await page.locator('#composer').fill('Write much')
  await page.keyboard.press('Enter')
  await arrived(page, replyBytes / 10)
  const [before, first] = [await busySeconds(session), await paints(page)]
  await arrived(page, replyBytes * 0.6)
  const count = (await paints(page)) - first
  const each = ((await busySeconds(session)) - before) / count
  return [`${(each * 1_000).toFixed(1)} ms, ${count} paints`]
}

/** Waits for an amount of text. Playwright would look at every frame, which lays the page out once more. */
function arrived(page: Page, characters: number): Promise<void> {
  return page.evaluate(async (wanted) => {
    const length = (): number => document.querySelector('article.live')?.textContent?.length ?? 0
    while (length() < wanted) await new Promise((resolve) => setTimeout(resolve, 200))
  }, characters)
}

function paints(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as unknown as { painted: { count: number } }).painted.count)
}

/** CPU time of the page's main thread for its scripts, styles and layout. */
async function busySeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  const names = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration']
  return metrics.filter(({ name }) => names.includes(name)).reduce((sum, { value }) => sum + value, 0)
}

async function showUsage(site: Visit): Promise<string[]> {
  await fillLedger(join(site.folder, 'server.db'))
  const page = await visit(site)
  const url = `${site.url}/usage?period=30d`
  // The larger reports come after the figures, and are measured with them below.
  const later = /by=(?:chat|model|key|day%2Cmodel)&/
  await page.route(later, (route) => route.abort())
  const shown = Math.round(await timeTo(page, url, '.tiles'))
  await page.unroute(later)
  const all = Math.round(await timeTo(page, url, '#top-chat ~ .scroll'))
  return [`${shown} ms; with the chats that cost most ${all} ms`]
}

/** A million requests of 30 days, with their totals: 10 keys, 3 models, and a tenth of them of 1,000 chats. */
async function fillLedger(path: string): Promise<void> {
  const store = await openServerStore(path)
  const [hourMs, dayMs, days] = [3_600_000, 86_400_000, 30]
  const now = Date.now()
  const hour = now - (now % hourMs)
  const series = (name: string, count: number): string =>
    `${name} AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM ${name} WHERE n < ${count - 1})`
  const run = (sql: string): Promise<unknown> => store.database.rows('fill the ledger', `WITH RECURSIVE ${sql}`)
  const perHour = Math.round(requests / (days * 24 * 30))
  await run(`${series('h', days * 24)}, ${series('k', 10)}, ${series('m', 3)}
    INSERT INTO usage_hour (hour, workspace, key_id, model, source, requests, failed, estimated, unpriced, input,
      cache_write_5m, cache_write_1h, cache_read, output, cost, saved, estimated_cost)
    SELECT ${hour} - h.n * ${hourMs}, 'default', 'key-' || k.n, 'model-' || m.n, 'api', ${perHour}, 1, 0, 0, 46000, 0, 0,
      230000, 23000, 483000000000, 0, 0 FROM h, k, m`)
  for (const table of ['latency_day', 'first_event_day']) {
    await run(`${series('d', days)}, ${series('k', 10)}, ${series('m', 3)}, ${series('b', 10)}
      INSERT INTO ${table} SELECT ${now - (now % dayMs)} - d.n * ${dayMs}, 'default', 'key-' || k.n, 'model-' || m.n, 'api',
        86 + b.n, 110 FROM d, k, m, b`)
  }
  await run(`${series('r', requests)}
    INSERT INTO request (id, started_at, workspace, key_id, user_id, conversation, source, engine, model, served_model, input,
      cache_write_5m, cache_write_1h, cache_read, output, cost, saved, price, estimated, status, ms, request_bytes,
      response_bytes, attempts)
    SELECT 'req_' || r.n, ${now} - r.n * ${Math.floor((days * dayMs) / requests)}, 'default', 'key-' || (r.n % 10), '',
      CASE WHEN r.n % 10 = 0 THEN 'chat-' || ((r.n / 10) % 1000) ELSE '' END, 'api', 'api', 'model-' || (r.n % 3),
      'model-' || (r.n % 3), 1000, 0, 0, 5000, 500, 10500000000, 0, '2026-01-01', 0, 200, 900, 4000, 2000, 1 FROM r`)
  await store.close()
}

/** Counts the timers that the page starts within three seconds of doing nothing. */
async function idleTimers(site: Visit): Promise<string[]> {
  const { page } = await site.open()
  await page.addInitScript(() => {
    const delays: number[] = []
    Object.assign(globalThis, { delays })
    for (const name of ['setTimeout', 'setInterval'] as const) {
      const start = globalThis[name] as (work: TimerHandler, ms?: number) => number
      Object.assign(globalThis, { [name]: (work: TimerHandler, ms = 0) => (delays.push(ms), start(work, ms)) })
    }
  })
  await page.goto(site.newLink())
  await page.locator('#composer:focus').waitFor()
  await page.waitForTimeout(1_500)
  await page.evaluate(() => ((globalThis as unknown as { delays: number[] }).delays.length = 0))
  await page.waitForTimeout(3_000)
  const delays = await page.evaluate(() => (globalThis as unknown as { delays: number[] }).delays)
  return [delays.length === 0 ? 'no timer' : `${Math.min(...delays)} ms`]
}
