import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import type { Route } from 'playwright-core'
import Anthropic from 'colloquy'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { offline, script } from 'colloquy/engines'
import { ask } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

describe('usage, requests and settings', { skip }, () => {
  test('usage shows the sums of known requests to the cent, and a bar leads to its requests', async () => {
    const cache = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
    const usage = { input_tokens: 100_000, output_tokens: 10_000, ...cache }
    const engine = script([1, 2, 3].map(() => ({ content: 'Hello', usage })))
    await withSite(engine, async ({ url, newLink, open }) => {
      const client = new Anthropic({ baseURL: url, apiKey: 'any' })
      await assert.rejects(client.messages.create({ model: 'none', max_tokens: 10, messages: [] }))
      const messages = [{ role: 'user' as const, content: 'Hello' }]
      for (let sent = 0; sent < 3; sent++) {
        await client.messages.create({ model: 'claude-opus-4-8', max_tokens: 20_000, messages })
      }
      const { page, errors } = await open()
      await page.goto(newLink())
      await page.route(/usage\?by=day%2Cmodel/, (route) => route.fulfill({ status: 503, body: 'Busy' }), { times: 1 })
      await page.getByRole('link', { name: 'Usage' }).click()
      const byModel = page.locator('figure.chart').filter({ hasText: 'Cost by model' })
      await byModel.getByText('Busy').waitFor()
      await byModel.getByRole('button', { name: 'Retry' }).click()
      await byModel.locator('.column').first().waitFor()
      // 3 × (100,000 × $5 + 10,000 × $25) per million.
      assert.match(await page.locator('.tiles').innerText(), /Cost\s+\$2\.25\b[^]*Requests\s+4\b/)
      const cost = page.locator('figure.chart').first()
      await cost.getByRole('button', { name: 'Show as table' }).click()
      assert.match(await cost.locator('table').innerText(), /\(no model\)[^]*\$2\.25/)
      await cost.getByRole('button', { name: 'Show as table' }).click()
      await cost.locator('.column').last().focus()
      assert.match(await cost.locator('.readout').innerText(), /claude-opus-4-8 \$2\.25/)
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/requests\?day=/)
      await page.locator('table.cards tbody tr').nth(2).waitFor()
      // Rows that may be old do not stand for those that could not be loaded.
      const asked = Promise.withResolvers<Route>()
      await page.route('**/admin/requests?*', (route) => asked.resolve(route), { times: 1 })
      await page.getByRole('button', { name: 'Refresh' }).click()
      await page.getByRole('progressbar').waitFor()
      await (await asked.promise).fulfill({ status: 503, body: 'Too busy' })
      await page.locator('.failure').getByText('Too busy').waitFor()
      assert.equal(await page.locator('table.cards').count(), 0)
      await page.getByRole('button', { name: 'Retry' }).click()
      await page.locator('table.cards tbody a').first().click()
      await page.getByRole('heading', { name: 'Raw' }).waitFor()
      assert.match(await page.locator('main').innerText(), /Output\s+10,000\s+Cost\s+\$0\.75/)
      assert.deepEqual(
        errors.filter((error) => !error.includes('503')),
        [],
      )
    })
  })

  test('settings create a key for programs, show it once and revoke it', async () => {
    await withSite(offline(), async ({ url, newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.getByLabel('Name of a new key').fill('dev')
      await page.getByLabel('Budget in dollars').fill('5')
      await page.route('**/admin/keys', (route) => route.fulfill({ status: 500, body: 'Refused' }), { times: 1 })
      await page.getByRole('button', { name: 'Create' }).click()
      await page.locator('.failure').getByText('Refused').waitFor()
      await page.getByRole('button', { name: 'Create' }).click()
      const apiKey = await page.locator('[role=status] code').innerText()
      await page.getByText('$0 of $5.00 a day').waitFor()
      const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 })
      const request = { model: 'claude-opus-4-8', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hi' }] }
      assert.equal((await client.messages.create(request)).role, 'assistant')
      page.on('dialog', (dialog) => dialog.accept())
      await page.getByRole('button', { name: 'Revoke dev' }).click()
      await page.getByRole('cell', { name: 'revoked' }).waitFor()
      await assert.rejects(client.messages.create(request), { status: 401 })
      await page.reload()
      await page.getByRole('cell', { name: 'revoked' }).waitFor()
      assert.doesNotMatch(await page.locator('main').innerText(), new RegExp(apiKey))
    })
  })

  test('settings of a chat keep what the form does not show, and a new chat has the system prompt', async () => {
    await withSite(offline(), async ({ url, newLink, conversations, open }) => {
      const chat = await conversations.create({
        model: 'claude-opus-4-8',
        max_tokens: 100,
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        budget: { usd: 5, tokensPerCall: 1_000 },
      })
      const { page, errors } = await open()
      await page.goto(newLink())
      await page.goto(`${url}/c/${chat.id}`)
      const save = async (label: string, value: string): Promise<unknown> => {
        await page.getByRole('button', { name: 'Settings of this chat' }).click()
        await page.getByLabel(label).fill(value)
        // A selection that ends beside the dialog does not lose what was typed.
        await page.mouse.click(9, 9)
        const sent = page.waitForRequest((request) => request.method() === 'PATCH')
        await page.getByRole('button', { name: 'Save' }).click()
        await page.locator('dialog').waitFor({ state: 'detached' })
        return (await sent).postDataJSON()
      }
      const model = 'claude-opus-4-8'
      await page.getByRole('button', { name: 'Settings of this chat' }).click()
      await page.getByLabel('System prompt').fill('Be long.')
      await page.keyboard.press('Escape')
      await page.getByText('Your changes are not saved.').waitFor()
      assert.equal(await page.getByLabel('System prompt').inputValue(), 'Be long.')
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
      assert.deepEqual(await save('Longest reply', '200'), { settings: { model, max_tokens: 200 } })
      const budget = { usd: 6, tokensPerCall: 1_000 }
      assert.deepEqual(await save('Budget of this chat', '6'), { settings: { model, budget } })
      assert.deepEqual(await save('Budget of this chat', ''), { settings: { model, budget: { tokensPerCall: 1_000 } } })
      // A refusal that has no place of its own.
      const refusal = { error: { type: 'not_found_error', message: 'Cannot find conversation' } }
      let refused = 0
      await page.route(/\/conversations\/\w+$/, async (route) => {
        if (route.request().method() !== 'PATCH') return route.continue()
        refused++
        await route.fulfill({ status: 404, json: refusal })
      })
      await page.locator('button.title').click()
      await page.getByLabel('Title of the chat').fill('Gone')
      await page.keyboard.press('Enter')
      await page.locator('.notice').getByText('Cannot find conversation').waitFor()
      assert.equal(await page.getByLabel('Title of the chat').inputValue(), 'Gone')
      await page.getByLabel('Title of the chat').press('Escape')
      await page.locator('button.title').waitFor()
      await page.getByRole('combobox', { name: 'Model' }).selectOption({ index: 1 })
      await page.waitForFunction(() => document.querySelector<HTMLSelectElement>('.model')?.value === 'claude-opus-4-8')
      assert.equal(refused, 2, 'Escape does not save a title')
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.getByLabel('Warn before a request').fill('')
      await page.getByLabel('System prompt of new chats').fill('Answer in verse.')
      assert.match((await page.evaluate(() => localStorage.getItem('colloquy.newChat'))) ?? '', /verse/)
      // The view of chats is where the reader left it.
      await page.getByRole('link', { name: 'Chat', exact: true }).click()
      await page.waitForURL(`${url}/c/${chat.id}`)
      await page.getByRole('link', { name: 'New chat' }).click()
      await ask(page, 'Hello')
      const [listed] = await conversations.list()
      assert.equal((await conversations.open(listed!.id)).settings.system, 'Answer in verse.')
      const estimated = page.waitForResponse(/preview$/)
      await page.locator('#composer').fill('No warning')
      // The request itself is as long as the chat.
      assert.equal(((await (await estimated).json()) as { request: unknown }).request, null)
      assert.doesNotMatch(await page.getByText(/ in · at most \$/).innerText(), /limit/)
      await page.emulateMedia({ media: 'print' })
      const tools = page.locator(':is(header.top, nav.chats, .composer, .actions):visible')
      assert.equal(await tools.count(), 0, 'what serves to use a chat is not printed')
      const hidden = await page
        .locator('.transcript')
        .evaluate((element) => element.scrollHeight - element.clientHeight)
      assert.equal(hidden, 0, 'a chat is printed whole')
      assert.deepEqual(
        errors.filter((error) => !error.includes('404')),
        [],
      )
    })
  })

  test('every chat is exported as one file that can be imported', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      for (const text of ['first', 'second']) {
        await (await conversations.create({ model: 'claude-opus-4-8', max_tokens: 100 })).send(text)
      }
      const { page } = await open()
      await page.goto(newLink())
      await page.getByRole('link', { name: 'Settings' }).click()
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Export every chat' }).click()
      const file = await readFile(await (await download).path(), 'utf8')
      const store = openConversations({ engine: offline(), store: memoryStore() })
      const imported = await store.importAll(file)
      assert.equal(imported.length, 2)
      await store.close()
      const held = Promise.withResolvers<Route>()
      await page.route('**/import', (route) => held.resolve(route), { times: 1 })
      const choose = async (texts: Record<string, string>): Promise<void> => {
        const files = Object.entries(texts).map(([name, text]) => ({ name, buffer: Buffer.from(text) }))
        await page.locator('input[type=file]').setInputFiles(files.map((each) => ({ ...each, mimeType: 'text/plain' })))
      }
      const odd = `${file.trimEnd()}\n{"type":"bookmark"}\n`
      await choose({ 'odd.jsonl': odd, 'bad.json': '{' })
      const route = await held.promise
      await page.getByText('Working …').waitFor()
      await page.getByRole('progressbar').waitFor()
      await route.continue()
      await page.getByText('Imported 2 chats, with 1 change').waitFor()
      await page.getByText('odd.jsonl, line 7, skipped: its type is not known').waitFor()
      await page.locator('.failure').getByText('Cannot import bad.json: ').waitFor()
      assert.equal(await page.getByRole('progressbar').count(), 0)
      await choose({ 'odd.jsonl': odd })
      await page.getByText('Imported 0 chats, 2 were there already').waitFor()
    })
  })
})
