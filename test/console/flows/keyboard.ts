import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { offline, script } from 'colloquy/engines'
import type { Page, Route } from 'playwright-core'
import { ask, replied } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

describe('the keyboard', { skip }, () => {
  test('the whole flow works with the keyboard alone', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer:focus').waitFor()
      await page.keyboard.type('What is 8 * 8?')
      await page.keyboard.press('Enter')
      await replied(page)
      assert.match(await page.locator('article.reply').innerText(), /8 \* 8 = 64/)
      await page.keyboard.press('Control+ArrowUp')
      await page.locator('.editor textarea:focus').waitFor()
      await page.keyboard.press('Control+a')
      await page.keyboard.type('What is 9 * 9?')
      await page.keyboard.press('Control+Enter')
      await page.getByText('9 * 9 = 81').first().waitFor()
      await replied(page)
      await page.keyboard.press('Control+.')
      await page.getByRole('tab', { name: 'Request' }).waitFor()
      await page.keyboard.press('Control+.')
      await page.keyboard.press('Control+Shift+O')
      await page.getByRole('heading', { name: 'New chat' }).waitFor()
      await page.keyboard.press('Tab')
      assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'BODY')
      await page.locator('a.skip').focus()
      await page.keyboard.press('Enter')
      await page.locator('main:focus').waitFor()
    })
  })

  test('other keys are given to a command in the settings, and kept', async () => {
    await withSite(offline(), async ({ newLink, url, open }) => {
      const { page, errors } = await open()
      await page.goto(newLink())
      await page.getByRole('link', { name: 'Settings' }).click()
      const keys = page.getByRole('button', { name: /^Keys of New chat:/ })
      await keys.click()
      await page.keyboard.press('n')
      await page.getByText('Use it with Ctrl or Alt').waitFor()
      await page.keyboard.press('Control+k')
      await page.getByText('Ctrl K is used by “Search and commands”').waitFor()
      await page.keyboard.press('Alt+n')
      assert.match(await keys.innerText(), /Alt\s*N/)
      await page.reload()
      await page.locator('h1').waitFor()
      await page.keyboard.press('Control+Shift+O')
      assert.equal(page.url(), `${url}/settings`)
      await page.keyboard.press('Alt+n')
      await page.waitForURL(`${url}/`)
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.getByRole('button', { name: 'Reset the keys of New chat' }).click()
      await page.keyboard.press('Control+Shift+O')
      await page.waitForURL(`${url}/`)
      assert.deepEqual(errors, [])
    })
  })

  test('the focus is never lost: after an edit, a deletion, a version, a dialog and the inspector', async () => {
    await withSite(script(['One', 'Two', 'Three', 'Four']), async ({ newLink, open }) => {
      const { page } = await open()
      const focused = (): Promise<string> =>
        page.evaluate(() => {
          const { id, tagName, textContent } = document.activeElement!
          return (
            id ||
            (document.activeElement!.getAttribute('aria-label') ?? `${tagName} ${textContent?.trim().slice(0, 20)}`)
          )
        })
      await page.goto(newLink())
      await page.locator('#composer:focus').waitFor()
      await page.keyboard.type('Hello')
      await page.keyboard.press('Enter')
      await replied(page)
      assert.equal(await focused(), 'composer', 'after sending')
      for (const next of ['A colloquy', 'A New chat', 'Messages', 'composer']) {
        await page.keyboard.press('F6')
        assert.equal(await focused(), next, 'F6 moves to the next region')
      }
      await page.keyboard.press('Control+ArrowUp')
      await page.keyboard.press('Escape')
      await page.locator('.editor').waitFor({ state: 'detached' })
      assert.equal(await focused(), 'BUTTON Edit', 'after an edit that was given up')
      await page.keyboard.press('Control+ArrowUp')
      await page.locator('.editor textarea:focus').waitFor()
      await page.keyboard.press('Control+Enter')
      await page.locator('.versions').waitFor()
      await replied(page)
      assert.equal(await focused(), 'composer', 'after an edit')
      await page.getByRole('button', { name: 'Previous version' }).focus()
      await page.keyboard.press('Enter')
      await page.getByText('1/2').waitFor()
      assert.equal(await focused(), 'Next version', 'at the first version')
      await page.keyboard.press('Control+/')
      await page.locator('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
      assert.equal(await focused(), 'Next version', 'after a dialog')
      await page.locator('#composer').focus()
      await runCommand(page, 'Change the theme')
      await page.locator('dialog').waitFor({ state: 'detached' })
      assert.equal(await focused(), 'composer', 'after a command')
      await runCommand(page, 'Settings of the chat')
      await page.locator('dialog form').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
      assert.equal(await focused(), 'composer', 'after a dialog that a command has opened')
      await page.keyboard.press('Control+/')
      await page.getByRole('link', { name: 'Change keys' }).press('Enter')
      await page.getByRole('heading', { name: 'Keys of commands' }).waitFor()
      assert.equal(await focused(), 'A Settings', 'after a view that a dialog has opened')
      await page.goBack()
      await page.locator('#composer:focus').waitFor()
      for (const key of ['Escape', 'Enter']) {
        await page.locator('button.title').focus()
        await page.keyboard.press('Enter')
        await page.locator('input[name=title]:focus').waitFor()
        await page.keyboard.press(key)
        await page.locator('button.title:focus').waitFor()
      }
      // These keys belong to an input method.
      await page.keyboard.press('Control+ArrowUp')
      await page.keyboard.type(' and more')
      for (const key of ['Escape', 'Enter'])
        await page.locator('.editor textarea').dispatchEvent('keydown', composing(key))
      assert.equal(await page.locator('.editor textarea').inputValue(), 'Hello and more')
      await page.keyboard.press('Escape')
      await page.locator('article.reply').getByRole('button', { name: 'Request' }).focus()
      await page.keyboard.press('Enter')
      await page.locator('#tab-Request:focus').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('.inspector').waitFor({ state: 'detached' })
      assert.equal(await focused(), 'BUTTON Request', 'after the inspector')
      await page.getByRole('button', { name: /^Delete Hello/ }).focus()
      await page.keyboard.press('Enter')
      await page.locator('nav.chats li').waitFor({ state: 'detached' })
      await page.locator('#composer:focus').waitFor()
    })
  })

  test('keys typed before the next frame reach the title, the editor and the other version', async () => {
    await withSite(script(['One', 'Two']), async ({ newLink, open }) => {
      const { page, errors } = await open({})
      await page.addInitScript(() => {
        globalThis.requestAnimationFrame = (callback) => setTimeout(callback, 1_000)
      })
      await page.goto(newLink())
      await ask(page, 'Hello')
      await page.locator('#composer').focus()
      await runCommand(page, 'Rename the chat')
      await page.keyboard.press('Control+a')
      await page.keyboard.type('Greeting')
      await page.keyboard.press('Enter')
      await page.locator('button.title', { hasText: 'Greeting' }).waitFor()
      await page.locator('#composer').focus()
      await page.keyboard.press('Control+ArrowUp')
      await page.keyboard.type(' again')
      await page.keyboard.press('Control+Enter')
      await page.locator('article.reply').getByText('Two').waitFor()
      await replied(page)
      assert.match(await page.locator('article.question').innerText(), /Hello again/)
      await page.getByRole('button', { name: 'Previous version' }).focus()
      await page.keyboard.press('Enter')
      await page.getByText('1/2').waitFor()
      await page.keyboard.press('Enter')
      await page.getByText('2/2').waitFor()
      const asked = Promise.withResolvers<Route>()
      await page.route(/\/conversations\/\w+\?/, (route) => asked.resolve(route), { times: 1 })
      await page.reload()
      const route = await asked.promise
      await runCommand(page, 'Rename the chat')
      await route.continue()
      await page.locator('input[name=title]:focus').waitFor()
      assert.deepEqual(errors, [])
    })
  })

  test('the focus is in the field after Continue, Retry and Dismiss, whose buttons are gone or wait', async () => {
    const cut = { content: 'Half', stop_reason: 'max_tokens' as const }
    const overloaded = { error: { type: 'overloaded_error' as const, message: 'Overloaded' } }
    await withSite(script([cut, 'The rest', 'Again', overloaded, 'Here', overloaded]), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await ask(page, 'Hello')
      const press = async (name: string): Promise<void> => {
        await page.getByRole('button', { name, exact: true }).last().focus()
        await page.keyboard.press('Enter')
        await page.locator('#composer:focus').waitFor()
        await page.locator('.transcript[aria-busy="false"]').waitFor()
      }
      await press('Continue')
      await page.getByText('The rest').waitFor()
      await press('Retry')
      await page.getByText('Again').waitFor()
      await press('Retry')
      await page.locator('.failure').waitFor()
      await press('Retry')
      await page.getByText('Here').waitFor()
      await press('Retry')
      await page.locator('.failure').waitFor()
      await press('Dismiss')
      assert.equal(await page.locator('.transcript > div > .failure').count(), 0)
    })
  })
})

/** Runs a command with the palette. */
async function runCommand(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.keyboard.type(name)
  await page.keyboard.press('Enter')
}

/** A key that an input method takes, with Ctrl, which sends elsewhere. */
function composing(key: string): object {
  return { key, isComposing: true, ctrlKey: key === 'Enter' }
}
