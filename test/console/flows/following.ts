import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type Engine, script } from 'colloquy/engines'
import { ask, replied } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

const paragraphs = Array.from({ length: 40 }, (_, index) => `Paragraph ${index}`).join('\n\n')
const varied = `${paragraphs}\n\n\`\`\`ts\nconst six: number = 6\n\`\`\`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two`

describe('the end of a chat in a browser', { skip }, () => {
  test('a reply that has ended does not move, keeps its element, and can be clicked at once', async () => {
    await withSite(script([varied]), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      const places = page.evaluate(placesAfterEnd)
      await ask(page, 'Write much')
      await page.getByRole('button', { name: /why\?/ }).click()
      await page.locator('table.why').waitFor()
      const { articles, tops, gap } = await places
      assert.equal(articles, 1, 'the element that grew is the one that is recorded')
      assert.equal(new Set(tops).size, 1, `the button moved: ${tops.join(' ')}`)
      assert.ok(gap <= 1, `${gap} pixels below the end`)
    })
  })

  test('nothing moves while a pointer is down, and the end is followed again after it', async () => {
    const gate = Promise.withResolvers<void>()
    await withSite(gated(`${paragraphs}\n\nIt waits.`, paragraphs, gate.promise), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').fill('Write much')
      await page.keyboard.press('Enter')
      const { x, y } = (await page.getByText('It waits.').boundingBox())!
      await page.mouse.move(x + 5, y + 5)
      await page.mouse.down()
      gate.resolve()
      await replied(page)
      assert.equal((await page.getByText('It waits.').boundingBox())!.y, y)
      await page.mouse.up()
      await page.waitForFunction(isAtEnd)
    })
  })

  test('a reader who scrolls up stays there while the reply grows, and one button leads back', async () => {
    const gate = Promise.withResolvers<void>()
    await withSite(gated(`${paragraphs}\n\nIt waits.`, paragraphs, gate.promise), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').fill('Write much')
      await page.keyboard.press('Enter')
      await page.getByText('It waits.').waitFor()
      await page.locator('.transcript').hover()
      await page.mouse.wheel(0, -400)
      await page.getByRole('button', { name: 'Jump to latest' }).waitFor()
      const top = await settledTop(page)
      gate.resolve()
      await replied(page)
      assert.equal(await settledTop(page), top)
      await page.getByRole('button', { name: 'Jump to latest' }).click()
      await page.waitForFunction(isAtEnd)
      await page.getByRole('button', { name: 'Jump to latest' }).waitFor({ state: 'detached' })
    })
  })
})

/** Replies with one block of text, and with another after the promise has resolved. */
function gated(first: string, second: string, open: Promise<void>): Engine {
  const reply = script([{ content: [first, second].map((text) => ({ type: 'text', text, citations: null })) }])
  return async function* (params, context) {
    for await (const event of reply(params, context)) {
      if (event.type === 'content_block_start' && event.index === 1) await open
      yield event
    }
  }
}

/** Runs in the page. Notes where the button below a reply is after each of the first frames that show it. */
async function placesAfterEnd(): Promise<{ articles: number; tops: number[]; gap: number }> {
  const button = (): Element | null => document.querySelector('article.reply .cost button')
  const painted = (): Promise<void> =>
    new Promise((resolve) =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel()
        port1.addEventListener('message', () => resolve())
        port1.start()
        port2.postMessage(undefined)
      }),
    )
  const articles = new Set<Element>()
  while (!button()) {
    for (const article of document.querySelectorAll('article.reply')) articles.add(article)
    await painted()
  }
  await painted()
  for (const article of document.querySelectorAll('article.reply')) articles.add(article)
  const transcript = document.querySelector('.transcript')!
  const gap = transcript.scrollHeight - transcript.clientHeight - transcript.scrollTop
  const tops: number[] = []
  while (tops.length < 30 && !document.querySelector('table.why')) {
    tops.push(button()!.getBoundingClientRect().top)
    await painted()
  }
  return { articles: articles.size, tops, gap }
}

/** Runs in the page. */
function isAtEnd(): boolean {
  const { scrollHeight, clientHeight, scrollTop } = document.querySelector('.transcript')!
  return scrollHeight - clientHeight - scrollTop <= 1
}

/** The place of the reader after the page has stopped scrolling. */
function settledTop(page: Page): Promise<number> {
  return page.locator('.transcript').evaluate(async (element) => {
    let still = 0
    for (let top = element.scrollTop; still < 10; top = element.scrollTop) {
      await new Promise(requestAnimationFrame)
      still = element.scrollTop === top ? still + 1 : 0
    }
    return element.scrollTop
  })
}
