import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { type Engine, offline, script } from 'colloquy/engines'
import { ask, replied } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

describe('branches in a browser', { skip }, () => {
  test('an edit makes a version, and the active one is kept when the page reloads', async () => {
    await withSite(offline(), async ({ newLink, open }) => {
      const { page, errors } = await open()
      await page.goto(newLink())
      await ask(page, 'What is 1 + 1?')
      await page.locator('article.question').getByRole('button', { name: 'Edit' }).click()
      await page.locator('.editor textarea').fill('What is 2 + 2?')
      await page.getByRole('button', { name: 'Save and rerun' }).click()
      await page.getByText('2 + 2 = 4').waitFor()
      await replied(page)
      assert.match(await page.locator('.versions').innerText(), /2\/2/)
      await page.getByRole('button', { name: 'Previous version' }).click()
      await page.getByText('1 + 1 = 2').waitFor()
      await page.reload()
      await page.getByText('1 + 1 = 2').waitFor()
      assert.match(await page.locator('.versions').innerText(), /1\/2/)
      // The keys work where the focus is after every turn.
      await page.locator('#composer').fill('A draft')
      await page.keyboard.press('Alt+ArrowRight')
      await page.getByText('2 + 2 = 4').waitFor()
      assert.deepEqual(errors, [])
    })
  })

  test('another model replies side by side, and either reply can be used', async () => {
    await withSite(
      script(['From the first', 'From the second', 'After it']),
      async ({ newLink, open, conversations }) => {
        const { page, errors } = await open()
        await page.goto(newLink())
        await ask(page, 'Who are you?')
        assert.equal(await page.title(), 'Who are you? · Colloquy')
        const others = page.getByLabel('Retry with another model')
        assert.equal(await others.evaluate((list: HTMLSelectElement) => list.selectedOptions[0]?.text), 'with …')
        await others.focus()
        await others.selectOption('beside claude-sonnet-4-6')
        const columns = page.locator('.columns article')
        await columns.nth(1).getByText('In use').waitFor()
        assert.match(await columns.nth(0).innerText(), /Claude Opus 4\.8[^]*From the first/)
        assert.match(await columns.nth(1).innerText(), /Claude Sonnet 4\.6[^]*From the second/)
        await columns.nth(0).getByRole('button', { name: 'Use this one' }).click()
        await columns.nth(0).getByText('In use').waitFor()
        const [listed] = await conversations.list()
        assert.match(JSON.stringify((await conversations.open(listed!.id)).messages.at(-1)), /From the first/)
        await page.getByRole('button', { name: 'Show one reply' }).click()
        assert.match(await page.locator('.versions').innerText(), /1\/2/)
        await page.getByRole('button', { name: 'Show the versions side by side' }).click()
        await columns.nth(1).waitFor()
        assert.deepEqual(errors, [])
      },
    )
  })

  test('replies of two models arrive at the same time, side by side, and both are kept', async () => {
    const gate = Promise.withResolvers<void>()
    await withSite(named(gate.promise), async ({ newLink, open }) => {
      const { page, errors } = await open()
      await page.goto(newLink())
      await page.locator('#composer').fill('Who are you?')
      await page.keyboard.press('Enter')
      await page.locator('article.live').getByText('From claude-opus-4-8').waitFor()
      await page.getByLabel('Add a reply side by side').selectOption('claude-sonnet-4-6')
      const arriving = page.locator('.columns article.live')
      await arriving.getByText('From claude-sonnet-4-6').waitFor()
      await page.getByLabel('Add a reply side by side').selectOption('claude-haiku-5-5')
      await arriving.getByText('From claude-haiku-5-5').waitFor()
      assert.equal(await arriving.count(), 3)
      gate.resolve()
      await page.locator('.transcript[aria-busy="false"] .columns article footer').nth(2).waitFor()
      assert.equal(await arriving.count(), 0)
      const columns = page.locator('.columns article')
      assert.equal(await columns.count(), 3)
      assert.match(await columns.nth(0).innerText(), /Opus[^]*From claude-opus-4-8[^]*\$0\.0/)
      await columns.nth(0).getByRole('button', { name: 'Use this one' }).click()
      await columns.nth(0).getByText('In use').waitFor()
      await page.reload()
      await page.getByText('From claude-opus-4-8').waitFor()
      assert.match(await page.locator('.versions').innerText(), /1\/3/)
      assert.deepEqual(errors, [])
    })
  })

  test('the inspector has the request of an earlier reply, its events and its response, and replays it', async () => {
    const engine = script(['The first reply', 'The second reply', 'The replayed reply'])
    await withSite(engine, async ({ newLink, open }) => {
      const { page, errors } = await open()
      await page.goto(newLink())
      await ask(page, 'One')
      await ask(page, 'Two')
      await page.locator('article.reply').first().hover()
      await page.locator('article.reply').first().getByRole('button', { name: 'Request' }).click()
      const panel = page.locator('#inspector-panel')
      await panel.getByText('200 · end_turn').waitFor()
      assert.match(await panel.locator('.json-tree').innerText(), /"One"/)
      assert.doesNotMatch(await panel.locator('.json-tree').innerText(), /"Two"/)
      await panel.getByRole('button', { name: 'Events' }).click()
      assert.match(
        await panel.locator('table').innerText(),
        /message_start[^]*text_delta[^]*characters[^]*message_stop/,
      )
      await panel.getByRole('button', { name: 'Response' }).click()
      assert.match(await panel.locator('.json-tree').innerText(), /"The first reply"/)
      await panel.getByRole('button', { name: 'Headers' }).click()
      assert.match(await panel.locator('dl').last().innerText(), /x-api-key\s+sk-ant-••••/)
      await page.getByRole('tab', { name: 'Info' }).click()
      const download = page.waitForEvent('download')
      await panel.getByRole('button', { name: 'Save as Markdown' }).click()
      const file = await readFile(await (await download).path(), 'utf8')
      assert.match(file, /^# One\n\n## You\n\nOne\n\n## Claude Opus 4\.8\n\nThe first reply\n\n## You\n\nTwo\n/)
      await page.getByRole('tab', { name: 'Request' }).click()
      const before = page.url()
      await panel.getByRole('button', { name: 'Replay in a new chat' }).click()
      await page.getByText('The replayed reply').waitFor()
      assert.notEqual(page.url(), before)
      assert.match(JSON.stringify(engine.requests.at(-1)!.params.messages), /^(?=.*"One")(?!.*"Two")/)
      assert.deepEqual(errors, [])
    })
  })

  test('a branch that is pruned can be brought back, and is erased before the next message is sent', async () => {
    await withSite(script(['First', 'Second', 'Third']), async ({ newLink, open, conversations }) => {
      const { page } = await open()
      await page.goto(newLink())
      await ask(page, 'One')
      await ask(page, 'Two')
      await page.keyboard.press('Control+.')
      await page.getByRole('tab', { name: 'Tree' }).click()
      const items = page.getByRole('treeitem')
      await items.filter({ hasText: 'Two' }).focus()
      await page.keyboard.press('Delete')
      await items.nth(2).waitFor({ state: 'detached' })
      assert.equal(await items.count(), 2)
      assert.match(await page.evaluate(() => document.activeElement!.textContent ?? ''), /First/)
      await page.getByRole('button', { name: 'Undo' }).click()
      await items.nth(3).waitFor()
      await items.filter({ hasText: 'Two' }).focus()
      await page.keyboard.press('Delete')
      await items.nth(2).waitFor({ state: 'detached' })
      // The next message follows the one before, and the branch is gone.
      await ask(page, 'Three')
      const [listed] = await conversations.list()
      const all = await Array.fromAsync((await conversations.open(listed!.id)).tree())
      assert.doesNotMatch(JSON.stringify(all.map(({ content }) => content)), /Two|Second/)
      assert.equal(await page.locator('article').count(), 4)
    })
  })
})

/** Replies with the name of the model, and ends each reply after the promise has resolved. */
function named(open: Promise<void>): Engine {
  return async function* (params, context) {
    for await (const event of script([{ content: `From ${params.model}` }])(params, context)) {
      if (event.type === 'content_block_stop') await open
      yield event
    }
  }
}
