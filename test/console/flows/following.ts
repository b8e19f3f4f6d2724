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

  test('a long reply renders only its end again while it grows, and nothing when it ends', async () => {
    const part =
      'Text with *emphasis*, and `code`.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nsix\n```\n\n'
    await withSite(script([part.repeat(400)]), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.evaluate(countChanges)
      await ask(page, 'Write much')
      const { changedEarlier, added } = await page.evaluate(
        () => (globalThis as unknown as { changes: Changes }).changes,
      )
      const shown = await page.evaluate(() => document.querySelectorAll('article.reply .part, .part *').length)
      assert.ok(shown > 400 * 15, `${shown} elements`)
      assert.equal(changedEarlier, 0, 'changes before the last two parts of the reply')
      assert.ok(added < shown * 1.5, `${added} elements were added for ${shown}`)
    })
  })
})

interface Changes {
  /** Changes in parts of a reply that two others followed already. */
  changedEarlier: number
  /** Elements added to replies. */
  added: number
}

/** Runs in the page. Counts what changes in the parts of replies. */
function countChanges(): void {
  const changes: Changes = { changedEarlier: 0, added: 0 }
  Object.assign(globalThis, { changes })
  let before: Element[] = []
  const observer = new MutationObserver((records) => {
    const finished = before.slice(0, -2)
    for (const { target, addedNodes } of records) {
      if (finished.some((part) => part.contains(target))) changes.changedEarlier++
      for (const node of addedNodes) {
        if (node instanceof Element && node.closest('.part')) changes.added += 1 + node.querySelectorAll('*').length
        else if (node instanceof Element) changes.added += node.querySelectorAll('.part, .part *').length
      }
    }
    before = [...document.querySelectorAll('article.reply .part')]
  })
  observer.observe(document.body, { childList: true, characterData: true, subtree: true })
}

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
