import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Locator, Page, Route } from 'playwright-core'
import { type Engine, offline, script } from 'colloquy/engines'
import type { ContentBlock } from 'colloquy/protocol'
import { type RunnableTool, tool } from 'colloquy/tools'
import { ask, replied, showCost, watch } from '../browser.ts'
import { skip, type Visit, withSite } from '../harness.ts'

describe('chats in a browser', { skip }, () => {
  test('a first message becomes a chat with a reply, its cost and a place in the list', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page, errors } = await open()
      await page.goto(newLink())
      await ask(page, 'What is 6 * 7?')
      assert.match(await page.locator('article.reply').innerText(), /6 \* 7 = 42/)
      assert.match(page.url(), /\/c\/\w+$/)
      assert.match(await page.locator('nav.chats li').first().innerText(), /What is 6 \* 7\?\s+\$0\.0\d+ · 1 turn/)
      await showCost(page)
      assert.match(await page.locator('table.why').innerText(), /Output\s+\d+\s+× \$25 per million/)
      assert.deepEqual(errors, [])
    })
  })

  test('a page over plain HTTP, as in a local network, sends messages and copies', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page, errors } = await open({})
      await page.addInitScript(() => {
        Object.assign(crypto, { randomUUID: undefined })
        Object.defineProperty(navigator, 'clipboard', { value: undefined })
      })
      await page.goto(newLink())
      await ask(page, 'What is 6 * 7?')
      await page.locator('article.question').getByRole('button', { name: 'Copy' }).click()
      await page.locator('.notice').getByText('Copied').waitFor()
      await page.locator('#composer').focus()
      await page.keyboard.press('Control+v')
      assert.equal(await page.locator('#composer').inputValue(), 'What is 6 * 7?')
      assert.deepEqual(errors, [])
    })
  })

  test('a reply that is stopped keeps its text, and can be continued', async () => {
    await withSite(offline({ wordsPerSecond: 20 }), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').fill('Count from 1 to 200')
      await page.keyboard.press('Enter')
      await page.locator('article.live .markdown').waitFor()
      const asked = Promise.withResolvers<Route>()
      await page.route('**/stop', (route) => asked.resolve(route), { times: 1 })
      await page.getByRole('button', { name: 'Stop' }).click()
      assert.equal(await page.getByRole('button', { name: 'Stopping …' }).isDisabled(), true)
      await page.getByRole('progressbar').waitFor()
      await (await asked.promise).continue()
      await page.locator('.stopped').getByText('Stopped, kept').waitFor()
      assert.equal(await page.locator('.failure').count(), 0)
      const kept = await page.locator('article.reply .block').innerText()
      assert.notEqual(kept, '')
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'composer')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.locator('article.live').waitFor()
      assert.equal(await page.locator('article.question .block').last().innerText(), 'Continue')
      await page.getByRole('button', { name: 'Stop' }).click()
      await replied(page)
    })
  })

  test('a page that reloads in the middle of a reply shows all of it', async () => {
    const gate = Promise.withResolvers<void>()
    await withSite(endingAfter(gate.promise), async ({ newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').fill('Count from 1 to 120')
      await page.keyboard.press('Enter')
      await page.locator('article.live .markdown').waitFor()
      await page.reload()
      await page.locator('article.live .markdown').waitFor()
      gate.resolve()
      await replied(page)
      const text = await page.locator('article.reply .block').innerText()
      assert.match(text, /\b1\b[^]*\b60\b[^]*\b120\b/)
    })
  })

  test('a second tab follows the reply and the deletion of the first, and another program', async () => {
    const gate = Promise.withResolvers<void>()
    await withSite(endingAfter(gate.promise), async ({ newLink, conversations, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').fill('Count from 1 to 60')
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/c\//)
      const second = watch(await page.context().newPage())
      await second.page.goto(page.url())
      await second.page.locator('article.live .markdown').waitFor()
      gate.resolve()
      await replied(second.page)
      assert.match(await second.page.locator('article.reply').innerText(), /\b60\b/)
      const id = page.url().split('/').at(-1)!
      await (await conversations.open(id)).send('What is 3 * 3?')
      await page.getByText('3 * 3 = 9').waitFor()
      await second.page.bringToFront()
      await second.page.getByText('3 * 3 = 9').waitFor()
      await second.page.getByRole('button', { name: /^Delete/ }).click()
      await page.getByRole('heading', { name: 'This chat is not here' }).waitFor()
      await second.page.getByRole('button', { name: 'Undo' }).click()
      await page.getByText('3 * 3 = 9').waitFor()
    })
  })

  test('a picture is attached by the button, a file by dropping it, and long text by pasting it', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page, errors } = await open()
      await page.goto(newLink())
      const buffer = Buffer.from(await page.evaluate(noise), 'base64')
      await page.locator('input[type=file]').setInputFiles([
        { name: 'noise.png', mimeType: 'image/png', buffer },
        { name: 'false.png', mimeType: 'image/png', buffer: Buffer.from([0]) },
        { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.of() },
      ])
      await page.getByText('noise.png').waitFor()
      const refused = /Cannot send false\.png: it must be PNG[^]*\nCannot send empty\.txt: it is empty$/
      assert.match(await page.locator('.notice').innerText(), refused)
      assert.equal(await page.locator('ul.files img').count(), 1)
      assert.equal(await page.locator('input[type=file]').inputValue(), '', 'the same file can be chosen again')
      const dataTransfer = await page.evaluateHandle(() => {
        const dropped = new DataTransfer()
        dropped.items.add(new File(['Hello'], 'notes.txt', { type: 'text/plain' }))
        return dropped
      })
      await page.dispatchEvent('.transcript', 'dragover', { dataTransfer })
      await page.getByText('Drop files here').waitFor()
      await page.dispatchEvent('.transcript', 'drop', { dataTransfer })
      await page.locator('ul.files').getByText('notes.txt').waitFor()
      assert.equal(await page.getByText('Drop files here').count(), 0)
      await page.evaluate(pasteLongText)
      await page.locator('ul.files').getByText('pasted.txt').waitFor()
      // A first message that is refused leaves text and files to its chat.
      await page.route('**/send', (route) => route.fulfill({ status: 500, json: {} }))
      await page.locator('#composer').fill('What do you see?')
      await page.keyboard.press('Enter')
      await page.getByText('Your message was not sent.').waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'What do you see?')
      assert.equal(await page.locator('ul.files li').count(), 3)
      const asksBeforeReload = (): Promise<boolean> => page.evaluate(() => onbeforeunload !== null)
      assert.equal(await asksBeforeReload(), true)
      // The estimate counts the files.
      await page.getByText(/^≈5\.\dk in/).waitFor()
      await page.unroute('**/send')
      await page.locator('#composer').focus()
      await page.keyboard.press('Enter')
      await replied(page)
      await page.locator('article.question').getByText('notes.txt').waitFor()
      assert.equal(await asksBeforeReload(), false)
      const picture = page.getByRole('link', { name: 'Open the picture' })
      assert.match((await picture.getAttribute('href')) ?? '', /^\.\/api\/conversations\//)
      assert.equal(await picture.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth), 64)
      assert.equal((await page.locator('.question .block-image').boundingBox())!.width, 64, 'a picture has no bubble')
      assert.deepEqual(
        errors.filter((error) => !error.includes('500')),
        [],
      )
    })
  })

  test('the palette finds a message by its words and opens the chat at it', async () => {
    await withSite(offline(), async ({ newLink, conversations, open }) => {
      const settings = { model: 'claude-opus-4-8', max_tokens: 100 }
      const chat = await conversations.create(settings)
      await chat.send('The zebra stands in the rain')
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      await page.keyboard.press('Control+k')
      await page.keyboard.type('zebra')
      // The chat by its title, and then the message.
      await page.locator('#hits li').nth(1).waitFor()
      await page.keyboard.press('ArrowUp')
      await page.keyboard.press('Enter')
      await page.waitForURL(new RegExp(`/c/${chat.id}\\?m=\\d+$`))
      await page.locator('article.target').waitFor()
      const asked = Promise.withResolvers<Route>()
      await page.route('**/search?*', (route) => asked.resolve(route), { times: 1 })
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Search chats and commands' }).fill('giraffe')
      const route = await asked.promise
      await page.getByText('Searching …').waitFor()
      assert.equal(await page.getByText('Nothing contains').count(), 0)
      await route.fulfill({ status: 500, json: { error: { type: 'api_error', message: 'The file is damaged' } } })
      await page.getByRole('alert').getByText('Cannot search messages: The file is damaged').waitFor()
    })
  })

  test('a page whose server is gone says so, keeps the draft, and continues when it is back', async () => {
    await withSite(offline(), async (site) => {
      const { page } = await site.open()
      await page.goto(site.newLink())
      await ask(page, 'What is 5 * 5?')
      await site.close()
      await page.getByText('Disconnected from colloquy serve').waitFor()
      await page.locator('#composer').fill('What is 6 * 6?')
      await page.keyboard.press('Enter')
      await page.locator('.transcript .failure').waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'What is 6 * 6?')
      await page.getByRole('link', { name: 'New chat' }).click()
      await page.goBack()
      await page.getByRole('heading', { name: 'The chat cannot be read' }).waitFor()
      await page.getByRole('link', { name: 'Usage' }).click()
      await page.locator('.failure').getByText('Cannot reach the server').waitFor()
      await site.reopen()
      await page.getByRole('heading', { name: 'Usage' }).waitFor()
      await page.goBack()
      // Another program writes before the page is back.
      await (await site.conversations.open(page.url().split('/').at(-1)!)).send('What is 3 * 3?')
      await page.getByText('Disconnected from colloquy serve').waitFor({ state: 'detached' })
      await page.getByText('3 * 3 = 9').waitFor()
      await ask(page, 'What is 7 * 7?')
      assert.match(await page.locator('article.reply').last().innerText(), /49/)
      // The connection is lost when the reply has ended.
      await page.route(/\/conversations\/\w+$/, (route) => route.abort())
      await ask(page, 'What is 9 * 9?')
      assert.match(await page.locator('article.reply').last().innerText(), /81/)
      await page.unrouteAll()
      await page.locator('article.question').getByText('What is 9 * 9?').waitFor()
      // The server was started again in another version.
      await page.route('**/requests-view-*', (route) => route.fulfill({ status: 404 }))
      await page.getByRole('link', { name: 'Requests' }).click()
      await page.getByText('The server has another version of this page. Reload it.').waitFor()
    })
  })

  test('a turn that fails before its reply shows the failure, and no empty reply', async () => {
    await withSite(overloadedOnce(), async (site) => {
      const page = await failedTurn(site)
      assert.equal(await page.locator('article.reply').count(), 0)
      await page.locator('.failure').getByRole('button', { name: 'Retry' }).click()
      await page.getByText('Here now').waitFor()
    })
  })

  test('a reply that failed has its error after a reload, and between later turns', async () => {
    await withSite(overloadedOnce(), async (site) => {
      const page = await failedTurn(site)
      await page.reload()
      const failed = page.locator('article.reply .failure')
      await failed.waitFor()
      assert.equal(await failed.innerText(), 'The model is overloaded: Overloaded')
      await ask(page, 'And now?')
      assert.equal(await failed.count(), 1)
      assert.match(await page.locator('article.reply').last().innerText(), /Here now/)
    })
  })

  test('tool calls that wait for results are answered on the page, also after a refusal', async () => {
    await withSite(
      script([calls, 'Take no umbrella', 'Take an umbrella']),
      async ({ newLink, open, conversations }) => {
        const { page } = await open()
        await page.goto(newLink())
        await ask(page, 'Do I need an umbrella?')
        const form = page.getByRole('form', { name: 'Tool results' })
        assert.match(await form.getByRole('group', { name: 'get_weather' }).innerText(), /"city": "Lisbon"/)
        const failing = form.getByRole('group', { name: 'find_umbrella' })
        await form.getByLabel('Result of get_weather').fill('Sunny')
        await page.reload()
        assert.equal(await form.getByLabel('Result of get_weather').inputValue(), 'Sunny', 'what was typed is kept')
        await failing.getByLabel('This is an error').check()
        await form.getByRole('button', { name: 'Send the results' }).click()
        assert.equal(await form.locator('textarea:invalid').count(), 1, 'an error needs a text')
        await page.locator('#composer').fill('And?')
        await page.keyboard.press('Enter')
        await page.locator('.notice').getByText('the reply waits for the results above').waitFor()
        assert.equal(await page.locator('#composer').inputValue(), 'And?')
        await failing.getByRole('textbox').fill('None found')
        await page.keyboard.press('Control+Enter')
        await page.getByText('Take no umbrella').waitFor()
        await replied(page)
        assert.equal(await form.count(), 0)
        const [listed] = await conversations.list()
        assert.deepEqual((await conversations.open(listed!.id)).messages[2]?.content, [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Sunny' },
          { type: 'tool_result', tool_use_id: 'toolu_2', content: 'None found', is_error: true },
        ])
        const tools = page.locator('article', { has: page.getByRole('heading', { name: 'Tools' }) })
        await tools.getByRole('button', { name: 'Edit' }).click()
        assert.equal(await tools.getByLabel('Tool result 2').inputValue(), 'None found')
        await tools.getByLabel('Tool result 1').fill('Rain')
        await page.keyboard.press('Control+Enter')
        await page.getByText('Take an umbrella').waitFor()
        await replied(page)
        const [first, second] = (await conversations.open(listed!.id)).messages[2]!.content as { content: string }[]
        assert.deepEqual([first!.content, second!.content], ['Rain', 'None found'])
      },
    )
  })

  test('a tool of the server runs when the reader says so, is refused, and then runs without asking', async () => {
    const again = (id: string): typeof calls => ({
      ...calls,
      content: [{ type: 'tool_use', id, name: 'get_weather', input: { city: 'Lisbon' } }] as ContentBlock[],
    })
    const cities: unknown[] = []
    const weather = tool({
      name: 'get_weather',
      inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
      run: ({ city }) => `Sunny in ${String(cities.push(city) && city)}`,
    })
    const tools: RunnableTool[] = []
    const steps = [
      again('toolu_0'),
      'Sunny by hand',
      again('toolu_1'),
      'Sunny there',
      again('toolu_2'),
      'Not known',
      again('toolu_3'),
      again('toolu_4'),
      'Sunny twice',
      again('toolu_5'),
      'Sunny always',
    ]
    await withSite(
      script(steps),
      async ({ newLink, open, conversations }) => {
        const { page } = await open()
        const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
        await page.goto(newLink())
        await ask(page, 'Is it sunny?')
        await page.getByLabel('Result of get_weather').fill('Sunny')
        await press('Send the result')
        await page.getByText('Sunny by hand').waitFor()
        // A tool that the server has got since.
        tools.push(weather)
        await ask(page, 'Do I need an umbrella?')
        assert.equal(cities.length, 0)
        await press('Run the tool')
        await page.getByText('Sunny there').waitFor()
        await ask(page, 'And now?')
        await press('Refuse')
        await page.getByText('Not known').waitFor()
        await ask(page, 'And tomorrow?')
        await press('Run, and do not ask again in this chat')
        await page.getByText('Sunny twice').waitFor()
        await replied(page)
        await page.reload()
        await ask(page, 'And in a week?')
        await page.getByText('Sunny always').waitFor()
        assert.deepEqual(cities, ['Lisbon', 'Lisbon', 'Lisbon', 'Lisbon'])
        const [listed] = await conversations.list()
        const results = JSON.stringify((await conversations.open(listed!.id)).messages.map(({ content }) => content))
        assert.equal(results.match(/"content":"Sunny in Lisbon"/g)?.length, 4)
        assert.match(results, /was declined: the user did not allow it","is_error":true/)
      },
      tools,
    )
  })

  test('a chat is deleted and left, brought back, and offered by the palette', async () => {
    await withSite(offline(), async ({ url, newLink, open }) => {
      const { page } = await open()
      const paletteChooses = async (words: string, option: string): Promise<void> => {
        await page.keyboard.press('Control+k')
        await page.keyboard.type(words)
        await page.getByRole('option', { selected: true, name: option }).waitFor()
        await page.keyboard.press('Enter')
      }
      await page.goto(newLink())
      await ask(page, 'What is 2 * 2?')
      const address = page.url()
      await paletteChooses('delete', 'Delete the chat')
      await page.waitForURL(`${url}/`)
      await page.locator('nav.chats li').waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.waitForURL(address)
      await page.locator('article.reply').waitFor()
      await page.getByRole('link', { name: 'New chat' }).click()
      await page.waitForURL(`${url}/`)
      const opening = Promise.withResolvers<void>()
      const hold = async (route: Route): Promise<void> => {
        await opening.promise
        await route.continue()
      }
      await page.route(/\/conversations\/[^/]+\?limit=/, hold, { times: 1 })
      await paletteChooses('', 'What is 2 * 2?')
      await page.waitForURL(address)
      const chats = (name: string): Locator => page.getByRole('region', { name }).getByRole('link')
      await paletteChooses('pin', 'Pin or unpin the chat')
      opening.resolve()
      await chats('Pinned').waitFor()
      await page.getByRole('button', { name: /^Archive / }).click()
      await page.waitForURL(`${url}/`)
      assert.equal(await page.locator('nav.chats li').count(), 0)
      await page.reload()
      await page.getByRole('button', { name: 'Archived' }).click()
      await chats('Archived').click()
      await paletteChooses('archive', 'Archive or unarchive the chat')
      await chats('Today').waitFor()
      assert.equal(await chats('Archived').count(), 0)
      await paletteChooses('archive', 'Archive or unarchive the chat')
      await page.waitForURL(`${url}/`)
      await page.keyboard.press('Control+k')
      await page.keyboard.type('archive')
      await page.getByText('Nothing contains').waitFor()
      await page.goto(address)
      await paletteChooses('archive', 'Archive or unarchive the chat')
      await chats('Today').waitFor()
      await page.getByRole('button', { name: /^Delete/ }).click()
      await page.waitForURL(`${url}/`)
    })
  })

  test('a phone shows one thing at a time: the chat, the list, the inspector, and rarer actions on demand', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page, errors } = await open({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true })
      await page.goto(newLink())
      await page.locator('#composer').fill('What is 6 * 7?')
      await page.getByRole('button', { name: 'Send' }).tap()
      await replied(page)
      const reply = page.locator('article.reply')
      assert.equal(await reply.getByRole('button', { name: 'Branch' }).isVisible(), false)
      await reply.getByRole('button', { name: 'More' }).tap()
      assert.equal(await reply.getByRole('button', { name: 'Branch' }).isVisible(), true)
      await reply.getByRole('button', { name: 'Request' }).tap()
      await page.locator('.inspector .json-tree').waitFor()
      const { width } = (await page.locator('.inspector').boundingBox())!
      assert.equal(width, 360)
      await page.getByRole('button', { name: 'Close the inspector' }).tap()
      await page.getByRole('button', { name: 'Chats', exact: true }).tap()
      await page.locator('nav.chats li a').first().tap()
      assert.equal(await page.locator('nav.chats').isVisible(), false)
      assert.equal(await page.evaluate(() => document.activeElement?.id), 'main', 'no keyboard covers the chat')
      // Enter is a new line on a touch screen.
      await page.locator('#composer').focus()
      await page.keyboard.type('one')
      await page.keyboard.press('Enter')
      await page.keyboard.type('two')
      assert.equal(await page.locator('#composer').inputValue(), 'one\ntwo')
      const small = await page
        .locator('button:visible, select:visible')
        .evaluateAll((all) =>
          all.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.textContent),
        )
      assert.deepEqual(small, [])
      assert.deepEqual(errors, [])
    })
  })
})

const calls = {
  content: [
    { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Lisbon' } },
    { type: 'tool_use', id: 'toolu_2', name: 'find_umbrella', input: {} },
  ] as ContentBlock[],
  stop_reason: 'tool_use' as const,
}

/** Writes as `offline()` does, and ends each reply after the promise has resolved. */
function endingAfter(open: Promise<void>): Engine {
  const engine = offline()
  return async function* (params, context) {
    for await (const event of engine(params, context)) {
      if (event.type === 'content_block_stop') await open
      yield event
    }
  }
}

/** A picture of 64 × 64 pixels as base64, too large to stand in the message itself. Runs in the page. */
function noise(): string {
  const element = document.createElement('canvas')
  element.width = element.height = 64
  const context = element.getContext('2d')!
  const data = context.createImageData(64, 64)
  for (let at = 0; at < data.data.length; at++) data.data[at] = at % 4 === 3 ? 255 : (at * 2_654_435_761) % 251
  context.putImageData(data, 0, 0)
  return element.toDataURL('image/png').split(',')[1]!
}

/** Runs in the page. */
function pasteLongText(): void {
  const clipboardData = new DataTransfer()
  clipboardData.setData('text/plain', 'word '.repeat(5_000))
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
  document.querySelector('#composer')!.dispatchEvent(event)
}

/** An engine that fails once, then replies. */
function overloadedOnce(): Engine {
  return script([{ error: { type: 'overloaded_error' } }, 'Here now'])
}

/** Opens a chat whose first turn fails. */
async function failedTurn({ newLink, open }: Visit): Promise<Page> {
  const { page } = await open()
  await page.goto(newLink())
  await page.locator('#composer').fill('Are you there?')
  await page.keyboard.press('Enter')
  await page.getByText('The model is overloaded').waitFor()
  return page
}
