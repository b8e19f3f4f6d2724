import { rm } from 'node:fs/promises'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import type { Engine } from 'colloquy/engines'
import { chromiumPath, launch, openPage, type Watched } from './browser.ts'
import { buildConsole, openSite, type Site } from './site.ts'

/** The reason to skip the tests; false if there is a browser. */
export const skip: string | false = chromiumPath === undefined && 'needs Chromium: apt-get install chromium'

/** A site of a test, and its browser. */
export interface Visit extends Site {
  /** Opens another page with cookies of its own. */
  open(options?: BrowserContextOptions): Promise<Watched>
}

let browser: Promise<Browser> | undefined
let pages: Promise<string> | undefined

/** The folder of the page, which is built once for all tests. */
export function builtPages(): Promise<string> {
  pages ??= buildConsole()
  return pages
}

/** Runs with a server and a SQLite file of its own, in the browser of all tests. */
export async function withSite(engine: Engine, work: (visit: Visit) => Promise<void>): Promise<void> {
  browser ??= launch()
  const [running, folder] = await Promise.all([browser, builtPages()])
  const site = await openSite(folder, engine)
  const opened: Watched[] = []
  const visit = Object.defineProperties({} as Visit, Object.getOwnPropertyDescriptors(site))
  visit.open = async (options) => {
    const watched = await openPage(running, options)
    opened.push(watched)
    return watched
  }
  try {
    await work(visit)
  } finally {
    for (const { page } of opened) await page.context().close()
    await site.remove()
  }
}

/** Closes the browser and deletes the page. */
export async function closeAll(): Promise<void> {
  await (await browser)?.close()
  if (pages) await rm(await pages, { recursive: true, force: true })
}
