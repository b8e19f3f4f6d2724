import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Locator, Page, Route } from 'playwright-core'
import { offline } from 'colloquy/engines'
import { ask, replied, watch } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

const settings = { model: 'claude-opus-4-8', max_tokens: 100 }

/** Messages of `count` turns, of which each has a word of its own. */
function turns(count: number): { role: 'user' | 'assistant'; content: string }[] {
  return Array.from({ length: count }, (_, index) => [
    { role: 'user' as const, content: `question${index}` },
    { role: 'assistant' as const, content: `answer${index}` },
  ]).flat()
}

async function find(page: Page, words: string): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search chats and commands' }).fill(words)
  await page.getByRole('option', { name: words }).first().click()
}

describe('finding chats and messages', { skip }, () => {
  test('a message that is found is shown, far up in a chat and on another branch', async () => {
    await withSite(offline(), async ({ newLink, url, conversations, open }) => {
      const chat = await conversations.create({ ...settings, title: 'Long', messages: turns(80) })
      const third = chat.messages[4]!
      await chat.edit(third.id, 'sidetrack')
      const { page, errors } = await open()
      await page.goto(newLink())
      await page.goto(`${url}/c/${chat.id}`)
      await page.getByText('sidetrack').waitFor()
      await find(page, 'question70')
      await page.locator('article.target').getByText('question70').waitFor()
      await find(page, 'question20')
      await page.locator('article.target').getByText('question20').waitFor()
      await page.getByText('answer35').waitFor()
      const count = await page.locator('article').count()
      assert.ok(count > 120, `${count} messages are shown`)
      // Messages that were loaded stay when the chat changes.
      await ask(page, 'What is 6 * 7?')
      assert.equal(await page.locator('article').count(), count + 2)
      await page.goto(`${url}/c/${chat.id}?m=${chat.messages[0]!.id}`)
      await page.locator('article.target').getByText('question0').waitFor()
      // Messages that are far from the view are their text alone until the reader comes close.
      const far = page.getByRole('article').filter({ hasText: 'answer30' })
      assert.equal(await far.getByRole('button').count(), 0)
      await far.scrollIntoViewIfNeeded()
      await far.getByRole('button', { name: 'Copy' }).waitFor()
      const groups = await page.evaluate(() => {
        const count = (): number => document.querySelectorAll('.far').length
        return [count(), dispatchEvent(new Event('beforeprint')), count()]
      })
      assert.ok(Number(groups[0]) > 0)
      assert.equal(groups[2], 0, 'the menu of the browser prints whole messages')
      const { id } = await conversations.create({ ...settings, title: 'Other', messages: turns(30) })
      await page.goto(`${url}/c/${id}`)
      await page.getByRole('button', { name: 'Show earlier messages' }).press('Enter')
      await page.getByText('question0').waitFor()
      await page.locator('.transcript:focus').waitFor()
      await page.goto(`${url}/c/${chat.id}?m=nothing`)
      await page.locator('.notice').getByText('The message cannot be shown').waitFor()
      await page.getByText('6 * 7 = 42').waitFor()
      await page.evaluate(() => Object.assign(globalThis, { print: () => (document.title = 'printed') }))
      await page.keyboard.press('Control+p')
      await page.waitForFunction(() => document.title === 'printed')
      assert.equal(await page.locator('article .actions').count(), 162, 'all messages are printed')
      await page.keyboard.press('Control+.')
      await page.getByRole('tab', { name: 'Tree' }).click()
      const current = page.locator('.tree [tabindex="0"]')
      await page.waitForFunction((row) => row.getBoundingClientRect().bottom < 700, await current.elementHandle())
      assert.deepEqual(
        errors.filter((error) => !error.includes('404')),
        [],
      )
    })
  })

  test('the chat that was chosen last is shown when one before it loads slowly', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      const slow = await conversations.create({ ...settings, title: 'Slow', messages: turns(1) })
      await conversations.create({ ...settings, title: 'Quick', messages: turns(2) })
      const { page, errors } = await open()
      const asked = Promise.withResolvers<Route>()
      await page.route(new RegExp(`/api/conversations/${slow.id}\\?`), (route) => asked.resolve(route))
      await page.goto(newLink())
      await page.getByRole('link', { name: /Slow/ }).click()
      const route = await asked.promise
      await page.getByRole('link', { name: /Quick/ }).click()
      await page.getByText('answer1').waitFor()
      const loaded = page.waitForResponse(route.request().url())
      await route.continue()
      await (await loaded).finished()
      await page.evaluate(() => new Promise(requestAnimationFrame))
      assert.equal(await page.locator('article').count(), 4)
      assert.deepEqual(errors, [])
    })
  })

  test('a message that is typed while its chat loads waits for it', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      const { id } = await conversations.create({ ...settings, title: 'Slow', messages: turns(1) })
      const { page } = await open()
      const asked = Promise.withResolvers<Route>()
      await page.route(new RegExp(`/api/conversations/${id}\\?`), (route) => asked.resolve(route))
      await page.goto(newLink())
      await page.getByRole('link', { name: /Slow/ }).click()
      const route = await asked.promise
      await page.locator('nav.chats [aria-current]').getByText('Slow').waitFor()
      await page.getByText('Loading …').waitFor()
      await page.locator('#composer').fill('What is 2 * 3?')
      await page.keyboard.press('Enter')
      assert.equal(await page.locator('#composer').inputValue(), 'What is 2 * 3?')
      await route.continue()
      await page.getByText('answer0').waitFor()
      const sent = Promise.withResolvers<Route>()
      await page.route('**/send', (held) => sent.resolve(held))
      await page.keyboard.press('Enter')
      const left = async (selector: string): Promise<number> => (await page.locator(selector).last().boundingBox())!.x
      assert.equal(await left('.waiting'), await left('article.question'), 'a reply that has not begun is waited for')
      await (await sent.promise).continue()
      await page.getByText('2 * 3 = 6').waitFor()
      assert.equal(await page.locator('.waiting').count(), 0)
      assert.equal(await page.locator('nav.chats li').count(), 1, 'no chat was created')
    })
  })

  test('the filter finds chats that the list has not loaded', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      for (let number = 0; number < 60; number++)
        await conversations.create({ ...settings, title: `\u05d0 Chat ${number}.` })
      const [oldest] = (await conversations.list({ title: 'chat 0.' })).map(({ id }) => id)
      await (await conversations.open(oldest!)).update({ shelf: 'archived' })
      const { page } = await open()
      await page.goto(newLink())
      await page.getByText('50 shown').waitFor()
      await page.getByRole('searchbox', { name: 'Filter chats' }).fill('chat 3.')
      await page.getByText('1 chat found').waitFor()
      const found = page.getByRole('link', { name: /Chat 3\./ })
      // A long title in a right-to-left script is cut at its end, which is on the left.
      assert.equal(await found.locator('.title').evaluate((title) => getComputedStyle(title).direction), 'rtl')
      await page.getByRole('searchbox', { name: 'Filter chats' }).fill('nowhere')
      await page.getByText('No chat has “nowhere” in its title.').waitFor()
      // The list shows no more than before, however many the filter has loaded.
      await page.getByRole('searchbox', { name: 'Filter chats' }).fill('')
      await page.getByText('50 shown').waitFor()
      assert.equal(await page.locator('nav.chats li').count(), 50)
      await page.getByRole('button', { name: 'Show more' }).press('Enter')
      await page.getByText('59 shown').waitFor()
      await page.locator('nav.chats .archived:focus').waitFor()
      // The list stays as long when the page is hidden and shown again.
      const listed = page.waitForResponse(/shelf=none/)
      await page.evaluate(() => {
        for (const hidden of [true, false]) {
          Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
          document.dispatchEvent(new Event('visibilitychange'))
        }
      })
      await (await listed).finished()
      await page.evaluate(() => new Promise(requestAnimationFrame))
      assert.equal(await page.locator('nav.chats li').count(), 59)
      // Zoomed to 200 %, a page is half as wide.
      await page.setViewportSize({ width: 640, height: 400 })
      await page.locator('nav.chats').waitFor({ state: 'hidden' })
      // The palette, too, and archived ones.
      await page.reload()
      await page.locator('#composer').waitFor()
      await find(page, 'Chat 0.')
      await page.waitForURL(`**/c/${oldest}`)
    })
  })

  test('text and files that are not sent stay with their chat, also those of another tab', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      for (const title of ['First', 'Second']) await conversations.create({ ...settings, title, messages: turns(1) })
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      const { page: other } = watch(await page.context().newPage())
      await other.goto(page.url())
      await page.getByRole('link', { name: /First/ }).click()
      await other.getByRole('link', { name: /Second/ }).click()
      await page.locator('#composer').fill('from one tab')
      await other.locator('#composer').fill('from another')
      const file = { name: 'image.txt', mimeType: 'text/plain', buffer: Buffer.from('text') }
      await page.locator('input[type=file]').setInputFiles(file)
      await page.locator('ul.files li').waitFor()
      await page.locator('#composer').press('End')
      await page.keyboard.type('!')
      await page.getByRole('link', { name: /Second/ }).click()
      await page.getByRole('heading', { name: 'Second' }).waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'from another')
      assert.equal(await page.locator('ul.files li').count(), 0)
      await page.getByRole('link', { name: /First/ }).click()
      await page.locator('ul.files').getByText('image.txt').waitFor()
      await other.reload()
      await other.getByRole('link', { name: /First/ }).click()
      await other.waitForFunction(
        () => document.querySelector<HTMLTextAreaElement>('#composer')?.value === 'from one tab!',
      )
    })
  })

  test('two tabs that write in one chat keep their own texts, also after a reload', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      for (const title of ['First', 'Second']) await conversations.create({ ...settings, title, messages: turns(1) })
      const { page } = await open()
      await page.goto(newLink())
      await page.getByRole('link', { name: /First/ }).click()
      await page.getByRole('heading', { name: 'First' }).waitFor()
      const { page: other } = watch(await page.context().newPage())
      await other.goto(page.url())
      const field = (tab: Page): Locator => tab.getByLabel('Text of the message')
      for (const tab of [page, other]) {
        const text = tab === page ? 'of one tab' : 'of the other'
        await tab.getByRole('button', { name: /^Edit/ }).first().click()
        await field(tab).fill(`Edit ${text}`)
        await tab.locator('#composer').fill(`Draft ${text}`)
      }
      await page.getByRole('link', { name: /Second/ }).click()
      await page.locator('#composer').fill('elsewhere')
      await page.goBack()
      for (const reload of [false, true]) {
        if (reload) await Promise.all([page.reload(), other.reload()])
        assert.equal(await field(page).inputValue(), 'Edit of one tab')
        assert.equal(await page.locator('#composer').inputValue(), 'Draft of one tab')
        assert.equal(await field(other).inputValue(), 'Edit of the other')
        assert.equal(await other.locator('#composer').inputValue(), 'Draft of the other')
      }
      await page.locator('#composer').press('Enter')
      await replied(page)
      await other.reload()
      await field(other).waitFor()
      assert.equal(await other.locator('#composer').inputValue(), 'Draft of the other')
      // A tab that is opened later has what was not sent.
      const { page: third } = watch(await page.context().newPage())
      await third.goto(page.url())
      await field(third).waitFor()
      assert.equal(await third.locator('#composer').inputValue(), 'Draft of the other')
    })
  })

  test('an edit that is left, or given up, is kept, and says so', async () => {
    await withSite(offline(), async ({ newLink, url, conversations, open }) => {
      const chat = await conversations.create({ ...settings, title: 'Edited', messages: turns(2) })
      const { page, errors } = await open()
      await page.goto(newLink())
      await page.getByRole('link', { name: /Edited/ }).click()
      const question = page.locator('article.question').first()
      const field = question.getByLabel('Text of the message')
      await question.getByRole('button', { name: 'Edit' }).click()
      await page.locator('.editor textarea:focus').waitFor()
      await page.keyboard.type(' and more')
      await page.getByRole('link', { name: 'New chat' }).click()
      await page.goBack()
      assert.equal(await field.inputValue(), 'question0 and more')
      await page.reload()
      assert.equal(await field.inputValue(), 'question0 and more')
      await field.press('Escape')
      await page.locator('.notice').getByText('Your changes are kept, and not saved').waitFor()
      assert.equal(await question.locator('.block').innerText(), 'question0')
      await question.getByRole('button', { name: 'Edit draft' }).click()
      assert.equal(await field.inputValue(), 'question0 and more')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await question.getByRole('button', { name: 'Edit', exact: true }).waitFor()
      await page.locator('.notice').getByRole('button', { name: 'Undo' }).click()
      await page.locator('.editor textarea:focus').waitFor()
      assert.equal(await field.inputValue(), 'question0 and more')
      // The new text is shown before the server has answered.
      const asked = Promise.withResolvers<Route>()
      await page.route('**/edit', (route) => asked.resolve(route))
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      const route = await asked.promise
      assert.equal(await question.locator('.block').innerText(), 'question0 and more')
      await route.continue()
      await page.waitForFunction(() => localStorage.getItem('colloquy.edits') === '{}')
      assert.equal((await conversations.open(chat.id)).messages[0]!.content, 'question0 and more')
      assert.equal(page.url(), `${url}/c/${chat.id}`)
      assert.deepEqual(errors, [])
    })
  })

  test('the first message is shown, and the next one kept, while a slow network creates the chat', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page, errors } = await open()
      const asked = Promise.withResolvers<Route>()
      let tries = 0
      await page.route('**/api/conversations', async (route) => {
        if (route.request().method() !== 'POST') return route.continue()
        if (++tries === 1) return route.abort()
        asked.resolve(route)
      })
      await page.goto(newLink())
      await page.locator('#composer').fill('What is 6 * 7?')
      await page.keyboard.press('Enter')
      await page.getByText('Disconnected').waitFor()
      await page.getByText('Your message is in the field below.').waitFor()
      await page.evaluate(() => new Promise(requestAnimationFrame))
      assert.equal(await page.locator('main .failure').count(), 1)
      await page.keyboard.press('Enter')
      const route = await asked.promise
      await page.getByRole('article').getByText('What is 6 * 7?').waitFor()
      await page.locator('#composer').fill('What is 2 * 3?')
      await page.keyboard.press('Enter')
      await route.continue()
      await page.getByText('6 * 7 = 42').waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'What is 2 * 3?')
      assert.equal(await page.locator('nav.chats li').count(), 1)
      assert.deepEqual(errors, ['Failed to load resource: net::ERR_FAILED'])
    })
  })

  test('a message or an edit that the server does not take is kept, and is not a retry', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await ask(page, 'What is 6 * 7?')
      await page.route('**/send', (route) => route.abort())
      await page.locator('#composer').fill('What is 2 * 3?')
      await page.keyboard.press('Enter')
      const failure = page.locator('.failure')
      await failure.getByText('Your message was not sent.').waitFor()
      assert.equal(await failure.getByRole('button', { name: 'Retry' }).count(), 0)
      assert.equal(await page.locator('#composer').inputValue(), 'What is 2 * 3?')
      await page.unroute('**/send')
      await page.locator('#composer').focus()
      await page.keyboard.press('Enter')
      await page.getByText('2 * 3 = 6').waitFor()
      await replied(page)
      // Another tab is faster.
      const chat = await conversations.open(page.url().split('/').at(-1)!)
      await page.route('**/send', async (route) => {
        await chat.send('What is 3 * 3?')
        await route.fulfill({ status: 409, json: { error: { type: 'conflict_error', message: 'Busy' } } })
      })
      await page.locator('#composer').fill('What is 4 * 4?')
      await page.keyboard.press('Enter')
      await page.getByText('3 * 3 = 9').waitFor()
      await failure.getByText('Your message was not sent.').waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'What is 4 * 4?')
      // An edit, too, while nothing can be read.
      await page.route('**/api/conversations/*/*', (route) => route.abort())
      await page.route(/\/conversations\/\w+$/, (route) => route.abort())
      await page.locator('article.question').first().getByRole('button', { name: 'Edit' }).click()
      await page.getByLabel('Text of the message').fill('What is 6 * 8?')
      await page.keyboard.press('Control+Enter')
      await failure.getByText('Your change was not saved.').waitFor()
      assert.equal(await page.getByLabel('Text of the message').inputValue(), 'What is 6 * 8?')
      assert.equal(await page.locator('article').count(), 6)
      // And a message whose chat was left before the server refused it.
      await page.unrouteAll()
      const asked = Promise.withResolvers<Route>()
      await page.route('**/send', (route) => asked.resolve(route))
      await page.locator('#composer').press('Enter')
      const route = await asked.promise
      await page.getByRole('link', { name: 'New chat' }).click()
      await route.fulfill({ status: 500, json: {} })
      await page.goBack()
      const isBack = (): boolean => document.querySelector<HTMLTextAreaElement>('#composer')?.value === 'What is 4 * 4?'
      await page.waitForFunction(isBack)
      // Or before the connection broke.
      await page.unrouteAll()
      const again = Promise.withResolvers<Route>()
      await page.route('**/send', (route) => again.resolve(route))
      await page.locator('#composer').press('Enter')
      const broken = await again.promise
      await page.getByRole('link', { name: 'New chat' }).click()
      await broken.abort()
      await page.goBack()
      await page.waitForFunction(isBack)
    })
  })

  test('a page without a session continues with the one that another tab opens', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.context().clearCookies()
      await page.locator('#composer').fill('What is 2 * 3?')
      await page.keyboard.press('Enter')
      await page.getByText('You are signed out').waitFor()
      const second = watch(await page.context().newPage())
      await second.page.goto(newLink())
      await second.page.locator('#composer').waitFor()
      await page.bringToFront()
      await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
      await page.getByText('You are signed out').waitFor({ state: 'detached' })
      await page.locator('#composer').focus()
      await page.keyboard.press('Enter')
      await page.getByText('2 * 3 = 6').waitFor()
    })
  })

  test('the cost of today is the latest when an earlier answer comes late', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page } = await open()
      const early: Route[] = []
      let usd = '0'
      await page.route('**/admin/usage?*', async (route) => {
        if (usd === '0') return void early.push(route)
        await route.fulfill({ json: { total: { usd } } })
      })
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.waitForFunction(() => document.querySelector('nav.chats .count'))
      usd = '1.25'
      await ask(page, 'What is 6 * 7?')
      await page.getByText('today $1.25').waitFor()
      for (const route of early) await route.fulfill({ json: { total: { usd: '0' } } })
      await page.evaluate(() => new Promise(requestAnimationFrame))
      assert.equal(await page.getByText('today $1.25').count(), 1)
      assert.ok(early.length > 0)
    })
  })
})
