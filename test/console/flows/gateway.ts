import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { offline } from 'colloquy/engines'
import { sampled } from '../../sampled.ts'
import { ask } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

const html = { contentType: 'text/html', body: '<html><h1>Sign in to the gateway</h1></html>' }
const error = JSON.stringify({ type: 'error', error: { type: 'api_error', message: 'The database is starting' } })
const failed = { status: 500, contentType: 'application/json', body: error }

describe('a server that something else answers for', { skip }, () => {
  test('a message, an edit and a deletion are kept when a proxy answers, or nothing does', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await ask(page, 'What is 5 * 5?')
      const answers = [
        { ...html, status: 200 },
        { ...html, status: 502 },
        { status: 503, contentType: 'text/plain', body: 'no healthy upstream' },
        { status: 200, contentType: 'text/event-stream', body: '' },
      ]
      for (const answer of sampled(answers, 4)) {
        await page.route('**/send', (route) => route.fulfill(answer))
        await page.locator('#composer').fill('What is 6 * 6?')
        await page.keyboard.press('Enter')
        const text = await page.locator('.transcript .failure').innerText()
        assert.match(text, /Your message was not sent. It is in the field below/)
        assert.doesNotMatch(text, /</)
        assert.equal(await page.locator('#composer').inputValue(), 'What is 6 * 6?')
        assert.equal(await page.locator('article.question').count(), 1)
        await page.unroute('**/send')
        await page.getByRole('button', { name: 'Dismiss' }).click()
      }
      await page.route('**/edit', (route) => route.fulfill(html))
      await page.getByRole('button', { name: 'Edit', exact: true }).first().click()
      await page.locator('.editor textarea').fill('What is 7 * 7?')
      await page.getByRole('button', { name: 'Save and rerun' }).click()
      await page.getByText('Your change was not saved').waitFor()
      assert.equal(await page.locator('.editor textarea').inputValue(), 'What is 7 * 7?')
      await deleteShown(page)
      await page.locator('.notice').getByText('Something else answered in place of the server').waitFor()
      assert.equal((await conversations.list()).length, 1)
    })
  })

  test('a list that cannot be loaded says so, and a server that fails has not ended the session', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await ask(page, 'What is 5 * 5?')
      await page.route(/conversations\?/, (route) => route.fulfill(failed))
      await page.reload()
      const failure = page.getByLabel('Chats').locator('.failure')
      await failure.getByText('The database is starting').waitFor()
      await page.unrouteAll()
      await failure.getByRole('button', { name: 'Retry' }).click()
      await page.locator('nav.chats li').waitFor()
      assert.equal(await failure.count(), 0)
      await page.route('**/api/session', (route) => route.fulfill(failed))
      await page.reload()
      await page.getByText('Disconnected from colloquy serve').waitFor()
      await page.unrouteAll()
      await page.locator('.banner').waitFor({ state: 'detached' })
      await ask(page, 'What is 6 * 6?')
    })
  })
})

/** Deletes the chat that is shown, while another page stands for the answer. */
async function deleteShown(page: Page): Promise<void> {
  await page.route(/conversations\/\w+$/, (route) =>
    route.request().method() === 'DELETE' ? route.fulfill(html) : route.continue(),
  )
  await page.locator('nav.chats li').hover()
  await page.getByRole('button', { name: /^Delete/ }).click()
}
