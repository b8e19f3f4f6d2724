import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core'
import { findChromium } from '../runtimes/chromium.ts'

/** The Chromium of the system; undefined if there is none. */
export const chromiumPath: string | undefined = findChromium().program

export function launch(): Promise<Browser> {
  // Root, as in a container, cannot use the sandbox.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  // A name of another site that leads to this machine.
  args.push('--host-resolver-rules=MAP rebind.example 127.0.0.1')
  // The list of suggestions below the address is a page of its own, which takes a third of the time to open a window.
  args.push('--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup')
  // One process for all pages: to start one for each site takes a fifth of the time of a test.
  args.push('--renderer-process-limit=1', '--disable-site-isolation-trials')
  return chromium.launch({ executablePath: chromiumPath ?? '', args })
}

/** A page whose errors, on the console or thrown, are collected. */
export interface Watched {
  page: Page
  errors: string[]
}

export const viewport = { width: 1280, height: 800 }

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport, ...options })
  return watch(await context.newPage())
}

export function watch(page: Page): Watched {
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  // As in until.ts, this only ends a test that would hang: a busy machine needs more than twenty seconds at times.
  page.setDefaultTimeout(120_000)
  return { page, errors }
}

/** Sends a message as a person would, and waits until the reply has ended. */
export async function ask(page: Page, text: string): Promise<void> {
  await page.locator('#composer').fill(text)
  await page.keyboard.press('Enter')
  await replied(page)
}

/** Waits until no reply is arriving and the last message is a reply. */
export async function replied(page: Page): Promise<void> {
  await page.locator('.transcript[aria-busy="false"] article:last-of-type.reply').waitFor()
}

/** Shows how the cost of the only reply was computed. */
export async function showCost(page: Page): Promise<void> {
  await page.getByRole('button', { name: /why\?/ }).click()
  await page.locator('table.why').waitFor()
}
