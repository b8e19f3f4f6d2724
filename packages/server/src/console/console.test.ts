import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { memoryStore, openConversations } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import { createServer } from '../app.ts'
import { conversationRoutes } from '../conversations/routes.ts'
import { type Listening, listen } from '../operate/node.ts'
import { openServerStore } from '../state/server-store.ts'
import { type ConsoleOptions, type ConsoleRoutes, consoleRoutes, newConsoleToken, sharedSecret } from './console.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'assets'))
writeFileSync(join(folder, 'index.html'), '<!doctype html><base href="/" /><title>Colloquy</title>')
writeFileSync(join(folder, 'assets', 'main-1a2b.js'), `console.log(${JSON.stringify('x'.repeat(2_000))})`)
const secret = randomBytes(32)
const html = { accept: 'text/html,*/*' }

async function serving(
  work: (served: { page: ConsoleRoutes; url: string }) => Promise<void>,
  options: Partial<ConsoleOptions> = {},
): Promise<void> {
  const page = consoleRoutes({ secret, folder, ...options })
  const conversations = openConversations({ engine: offline(), store: memoryStore() })
  const api = conversationRoutes({ conversations, admit: page.admit })
  const listening: Listening = await listen(createServer({ engine: offline(), routes: [page, api] }))
  try {
    await work({ page, url: listening.url })
  } finally {
    await listening.close({ graceMs: 0 })
    await api.close()
  }
}

function exchange(url: string, token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/api/session`, { method: 'POST', headers, body: JSON.stringify({ token }) })
}

test('a token opens one session, whose cookie no script and no other site can use', async () => {
  await serving(async ({ page, url }) => {
    const token = page.newToken()
    assert.equal((await fetch(`${url}/api/conversations`)).status, 401)
    const response = await exchange(url, token)
    assert.equal(response.status, 204)
    const [cookie, ...attributes] = response.headers.get('set-cookie')!.split('; ')
    assert.deepEqual(attributes, ['Path=/', 'Max-Age=2592000', 'HttpOnly', 'SameSite=Strict'])
    const origin = url.replace('http:', 'https:')
    assert.match((await exchange(url, page.newToken(), { origin })).headers.get('set-cookie')!, /; Secure$/)
    // A proxy shows the server below a path: other programs of the host do not get the cookie.
    const below = { 'x-forwarded-prefix': '/colloquy' }
    assert.match((await exchange(url, page.newToken(), below)).headers.get('set-cookie')!, /; Path=\/colloquy\/;/)
    const ended = await fetch(`${url}/api/session`, { method: 'DELETE', headers: below })
    assert.match(ended.headers.get('set-cookie')!, /^colloquy_session=; Path=\/colloquy\/; Max-Age=0;/)
    const headers = { cookie: `theme=dark; ${cookie}` }
    assert.equal((await fetch(`${url}/api/conversations`, { headers })).status, 200)
    assert.equal((await exchange(url, token)).status, 401)
    const changed = `${cookie!.slice(0, -3)}${cookie!.endsWith('AAA') ? 'BBB' : 'AAA'}`
    assert.equal((await fetch(`${url}/api/conversations`, { headers: { cookie: changed } })).status, 401)
    const open = (await (await fetch(`${url}/api/session`, { headers })).json()) as object
    assert.deepEqual(open, { program: 'colloquy', pid: process.pid, open: true, member: false, keyId: null })
    // The cookie outlives the server.
    await serving(async (restarted) => {
      assert.equal((await fetch(`${restarted.url}/api/conversations`, { headers })).status, 200)
      assert.equal((await exchange(restarted.url, token)).status, 401)
    })
    const other = { secret: randomBytes(32) }
    await serving(async ({ url: foreign }) => {
      assert.equal((await fetch(`${foreign}/api/conversations`, { headers })).status, 401)
    }, other)
  })
})

test('another process with the secret makes a token, and the token for programs works as a bearer', async () => {
  await serving(async ({ page, url }) => {
    assert.equal((await exchange(url, newConsoleToken(secret))).status, 204)
    assert.equal((await exchange(url, newConsoleToken(randomBytes(32)))).status, 401)
    for (const token of ['', 'x', page.programToken]) assert.equal((await exchange(url, token)).status, 401)
    const as = (token: string): Promise<Response> =>
      fetch(`${url}/api/models`, { headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual([(await as(page.programToken)).status, (await as('x')).status], [200, 401])
  })
})

test('servers of a store share the secret of the first one, and each accepts its own too', async () => {
  const store = await openServerStore(':memory:')
  const [one, two] = [randomBytes(32), randomBytes(32)]
  const shared = await Promise.all([one, two].map((proposed) => sharedSecret(store, proposed)))
  assert.deepEqual(shared, [one, one])
  await store.close()
  await serving(
    async ({ page, url }) => {
      const cookie = (await exchange(url, newConsoleToken(two))).headers.get('set-cookie')!.split(';')[0]!
      const isOpen = async (server: string, headers: Record<string, string>): Promise<boolean> =>
        (await fetch(`${server}/api/models`, { headers })).ok
      for (const token of [page.programToken, consoleRoutes({ secret: two }).programToken])
        assert.ok(await isOpen(url, { authorization: `Bearer ${token}` }))
      await serving(async (other) => assert.ok(await isOpen(other.url, { cookie })), { secret: one })
    },
    { secret: one, acceptedSecrets: [two] },
  )
})

test('a session cannot be opened or used from another origin or host name', async () => {
  await serving(async ({ page, url }) => {
    const { port } = new URL(url)
    const cookie = (await exchange(url, page.newToken())).headers.get('set-cookie')!.split(';')[0]!
    // As a page of a name that leads here by DNS rebinding would send it: fetch() does not allow to set the host.
    const rebound = (host: string, headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { port, path: '/api/conversations', headers: { host, ...headers } }
        const sent = httpRequest(options, (response) => resolve(response.resume().statusCode!))
        sent.on('error', reject).end()
      })
    assert.equal(await rebound('127.0.0.1', { cookie }), 200)
    assert.equal(await rebound('evil.example', { cookie }), 403)
    assert.equal(await rebound('evil.example', { cookie, origin: 'http://evil.example' }), 403)
    assert.equal(await rebound(`127.0.0.1:${port}`, { cookie, origin: 'http://127.0.0.1:1' }), 403)
    assert.equal(await rebound(`127.0.0.1:${port}`, { cookie, origin: 'https://evil.example' }), 403)
    const headers = { origin: 'https://evil.example' }
    const token = page.newToken()
    const stolen = await fetch(`${url}/api/session`, { method: 'POST', headers, body: JSON.stringify({ token }) })
    assert.deepEqual([stolen.status, stolen.headers.get('set-cookie')], [403, null])
    assert.equal((await exchange(url, token)).status, 204)
  })
})

test('the page is served at its addresses, with a policy that allows nothing else', async () => {
  await serving(async ({ url }) => {
    for (const path of ['/', '/index.html', '/c/01k', '/usage', '/requests', '/requests/req_1', '/settings']) {
      const response = await fetch(url + path, { headers: html })
      assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8', path)
      const policy = response.headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'; script-src 'self'; /)
      assert.match(policy, /require-trusted-types-for 'script'; trusted-types 'none'$/)
      assert.doesNotMatch(policy, /unsafe|https?:|\*/)
      const text = await response.text()
      assert.match(text, /<title>Colloquy/)
      const [, base = ''] = /<base href="(.*?)"/.exec(text) ?? []
      assert.equal(new URL(base, `http://host/colloquy${path}`).pathname, '/colloquy/', path)
    }
    const script = await fetch(`${url}/assets/main-1a2b.js`)
    assert.match(script.headers.get('cache-control') ?? '', /immutable/)
    assert.equal(script.headers.get('content-encoding'), 'gzip')
    assert.match(await script.text(), /xxx/)
    assert.equal((await fetch(`${url}/assets/none.js`)).status, 404)
    for (const path of ['/..%2f..%2fpackage.json', '/assets/..%2findex.html', '/assets//etc/passwd'])
      assert.equal((await fetch(url + path, { headers: html })).status, 404, path)
    // Programs that look for the server get the answer of before.
    assert.deepEqual(await (await fetch(`${url}/`)).json(), { status: 'ok' })
    assert.equal((await fetch(`${url}/v1/models`)).status, 400)
  })
})

test('the description of the server is not taken for a file of the page', async () => {
  await serving(async ({ url }) => {
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> }
    assert.ok('/api/conversations/{id}/send' in paths)
  })
})

test('the page is read when it is first used, and again after a failure', async () => {
  const later = join(folder, 'later')
  let prepared = 0
  const prepare = async (): Promise<void> => void prepared++
  await serving(
    async ({ url }) => {
      assert.equal(prepared, 0)
      assert.equal((await fetch(`${url}/usage`, { headers: html })).status, 503)
      mkdirSync(later)
      writeFileSync(join(later, 'index.html'), '<!doctype html>')
      assert.equal((await fetch(`${url}/usage`, { headers: html })).status, 200)
      assert.equal((await fetch(`${url}/usage`, { headers: html })).status, 200)
      assert.equal(prepared, 2)
    },
    { folder: later, prepare },
  )
})

test('consoleRoutes() refuses a short secret', () => {
  const short = new Uint8Array(8)
  assert.throws(() => consoleRoutes({ secret: short }), RangeError)
  assert.throws(() => consoleRoutes({ secret, acceptedSecrets: [short] }), RangeError)
})
