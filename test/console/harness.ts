import { rm } from 'node:fs/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Engine } from 'colloquy/engines'
import type { RunnableTool } from 'colloquy/tools'
import { chromiumPath, launch, openPage, viewport, type Watched, watch } from './browser.ts'
import { buildConsole, openSite, type Site } from './site.ts'

/** The reason to skip the tests; false if there is a browser. */
export const skip: string | false = chromiumPath === undefined && 'needs Chromium: apt-get install chromium'

/** A site of a test, and its browser. */
export interface Visit extends Site {
  /**
   * Opens a page with cookies of its own. The first one without options is a page that tests share one after another, as a new
   * one takes half a second of processor time.
   */
  open(options?: BrowserContextOptions): Promise<Watched>
}

let browser: Promise<Browser> | undefined
let shared: Page | undefined
let pages: Promise<string> | undefined

/** The folder of the page, which is built once for all tests. */
export function builtPages(): Promise<string> {
  pages ??= buildConsole()
  return pages
}

/** Runs with a server and a SQLite file of its own, in the browser of all tests. */
export async function withSite(
  engine: Engine,
  work: (visit: Visit) => Promise<void>,
  tools: RunnableTool[] = [],
): Promise<void> {
  browser ??= launch()
  const [running, folder] = await Promise.all([browser, builtPages()])
  const site = await openSite(folder, engine, { tools })
  const opened: Page[] = []
  const visit = Object.defineProperties({} as Visit, Object.getOwnPropertyDescriptors(site))
  visit.open = async (options) => {
    const free = options === undefined && !opened.includes(shared!) ? shared : undefined
    const watched = free === undefined ? await openPage(running, options) : watch(free)
    if (options === undefined) shared ??= watched.page
    opened.push(watched.page)
    return watched
  }
  try {
    await work(visit)
    if (opened.includes(shared!)) await empty(shared!)
  } catch (error) {
    shared = undefined
    throw error
  } finally {
    for (const page of opened.filter((each) => each !== shared)) await page.context().close()
    await site.remove()
  }
}

/** Leaves the page as a new one: the next test has an address of its own, and so no data of this one. */
async function empty(page: Page): Promise<void> {
  const context = page.context()
  for (const other of context.pages()) if (other !== page) await other.close()
  page.removeAllListeners()
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await page.goto('about:blank')
  await page.setViewportSize(viewport)
  await page.emulateMedia({ media: null })
  await context.clearCookies()
}

/** Closes the browser and deletes the page. */
export async function closeAll(): Promise<void> {
  await (await browser)?.close()
  if (pages) await rm(await pages, { recursive: true, force: true })
}
