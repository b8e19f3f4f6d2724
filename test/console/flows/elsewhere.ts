import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { offline } from 'colloquy/engines'
import { replied, watch } from '../browser.ts'
import { skip, withSite } from '../harness.ts'
import { held } from '../held.ts'
import { root } from '../../source.ts'

const settings = { model: 'claude-opus-4-8', max_tokens: 100 }

describe('a chat in several places', { skip }, () => {
  test('a reply is stopped by another process, and its text is kept and continued', async () => {
    await withSite(held('Half of it', 'and the rest.'), async ({ newLink, folder, conversations, url, open }) => {
      const { id } = await conversations.create(settings)
      const { page, errors } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.goto(`${url}/c/${id}`)
      await page.locator('#composer').fill('Begin')
      await page.keyboard.press('Enter')
      await page.locator('article.live').getByText('Half of it').waitFor()
      await using other = otherProcess(folder, id)
      assert.equal(await other.tell('stop'), 'stopped true')
      await page.locator('.stopped').getByText('Stopped, kept').waitFor()
      assert.match(await page.locator('article.reply').innerText(), /Half of it/)
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.locator('article.reply').getByText('and the rest.').waitFor()
      await replied(page)
      assert.deepEqual(errors, [])
    })
  })

  test('a reply that ends with its server says so, and is continued when the server is back', async () => {
    await withSite(held('Half of it', 'and the rest.'), async (site) => {
      const { page } = await site.open()
      await page.goto(site.newLink())
      await page.locator('#composer').fill('Begin')
      await page.keyboard.press('Enter')
      await page.locator('article.live').getByText('Half of it').waitFor()
      await site.close()
      await page.getByText('Disconnected from').waitFor()
      await site.reopen()
      await page.locator('.stopped').getByText('The server stopped, kept').waitFor()
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.locator('article.reply').getByText('and the rest.').waitFor()
      await replied(page)
    })
  })

  test('a reply of another process is shown in two tabs while it arrives, and one of them stops it', async () => {
    await withSite(offline(), async ({ newLink, folder, conversations, url, open }) => {
      const { id } = await conversations.create(settings)
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await using other = otherProcess(folder, id)
      // A page looks for turns of other processes when it opens, so this one has begun before.
      assert.equal(await other.tell('A question of the other process'), 'writing')
      const second = watch(await page.context().newPage())
      for (const tab of [page, second.page]) {
        await tab.bringToFront()
        await tab.goto(`${url}/c/${id}`)
        await tab.locator('article.live').getByText('Written in another process.').waitFor()
      }
      await second.page.getByRole('button', { name: 'Stop' }).click()
      assert.equal(await other.line(), 'ended interrupted')
      for (const tab of [second.page, page]) {
        await tab.bringToFront()
        await tab.locator('.stopped').getByText('Stopped, kept').waitFor()
      }
      assert.deepEqual(second.errors, [])
    })
  })

  test('a message of a tab that was slower is kept, and the reply to the faster one is shown', async () => {
    await withSite(held('Half of it'), async ({ newLink, conversations, url, open }) => {
      const { id } = await conversations.create(settings)
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.goto(`${url}/c/${id}`)
      const { page: slower } = watch(await page.context().newPage())
      await slower.goto(page.url())
      await slower.route('**/send', async (route) => {
        await page.locator('#composer').fill('Of the faster tab')
        await page.locator('#composer').press('Enter')
        await page.locator('article.live').getByText('Half of it').waitFor()
        await slower.locator('nav.chats').getByText('writing …').waitFor()
        await route.continue()
      })
      await slower.locator('#composer').fill('Of the slower tab')
      await slower.locator('#composer').press('Enter')
      await slower.getByText('Your message was not sent. It is in the field below.').waitFor()
      await slower.locator('article.live').getByText('Half of it').waitFor()
      assert.equal(await slower.locator('#composer').inputValue(), 'Of the slower tab')
      await slower.getByRole('button', { name: 'Stop' }).click()
      await slower.locator('.stopped').getByText('Stopped, kept').waitFor()
    })
  })

  test('a page that is idle waits for no timer, no frame and no response', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page } = await open({})
      await page.addInitScript(countWakeups)
      await page.goto(newLink())
      await page.locator('#composer').fill('What is 6 * 7?')
      await page.keyboard.press('Enter')
      await replied(page)
      for (const name of ['Chat', 'Usage', 'Requests', 'Settings']) {
        await page.getByRole('link', { name, exact: true }).click()
        await page.waitForFunction(isIdle, undefined, { polling: 100 })
      }
      // The count sees a timer.
      await page.evaluate(() => void setInterval(() => undefined, 60_000))
      assert.equal(await page.evaluate(isIdle), false)
    })
  })
})

interface Other extends AsyncDisposable {
  /** Writes a line and returns the line that answers it. */
  tell(line: string): Promise<string>
  /** Returns the next line that it writes. */
  line(): Promise<string>
}

function otherProcess(folder: string, id: string): Other {
  const program = join(root, 'test/console/elsewhere.ts')
  const args = ['--conditions=@colloquy/source', program, join(folder, 'chats.db'), id]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<string> => String((await lines.next()).value)
  return {
    tell(line) {
      child.stdin.write(`${line}\n`)
      return next()
    },
    line: next,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await exited
    },
  }
}

/** Runs in the page, before its scripts. Counts what would wake the page: timers, frames and requests whose time has not come. */
function countWakeups(): void {
  const pending = new Set<string>()
  Object.assign(globalThis, { pending })
  const place = globalThis as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of ['setTimeout', 'setInterval', 'requestAnimationFrame', 'requestIdleCallback']) {
    const start = place[name]!.bind(globalThis)
    place[name] = (work, ...rest) => {
      const id = start(
        (...args: unknown[]) => {
          if (name !== 'setInterval') pending.delete(`${name} ${String(id)}`)
          return (work as (...given: unknown[]) => unknown)(...args)
        },
        ...rest,
      )
      pending.add(`${name} ${String(id)}`)
      return id
    }
  }
  const ends = {
    clearTimeout: 'setTimeout',
    clearInterval: 'setInterval',
    cancelAnimationFrame: 'requestAnimationFrame',
  }
  for (const [name, started] of Object.entries(ends)) {
    const end = place[name]!.bind(globalThis)
    place[name] = (id) => {
      pending.delete(`${started} ${String(id)}`)
      end(id)
    }
  }
  const ask = place['fetch']!.bind(globalThis) as typeof fetch
  let requests = 0
  place['fetch'] = async (...args) => {
    const name = `fetch ${requests++}`
    pending.add(name)
    try {
      return await ask(...(args as Parameters<typeof fetch>))
    } finally {
      pending.delete(name)
    }
  }
}

/** Runs in the page. */
function isIdle(): boolean {
  const { pending } = globalThis as unknown as { pending: Set<string> }
  return document.readyState === 'complete' && pending.size === 0
}
