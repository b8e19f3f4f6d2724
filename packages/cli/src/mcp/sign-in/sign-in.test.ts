import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { User } from '../../../../../test/terminal-user.ts'
import { VirtualTerminal } from '../../../../../test/virtual-terminal.ts'
import { chat } from '../../commands/chat/chat.ts'
import { parse } from '../../commands/parse.ts'
import { filePaths } from '../../file-paths.ts'
import { readServerFile } from '../server-file.ts'
import { ServerConnection } from '../server-connection.ts'
import { SignInServer } from './sign-in-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-sign-in-'))
process.env['XDG_CONFIG_HOME'] = process.env['XDG_DATA_HOME'] = process.env['XDG_STATE_HOME'] = folder
process.env['TERM'] = 'xterm-256color'
process.env['BROWSER'] = join(folder, 'no-browser')
const never = new AbortController().signal
const noProgress = (): void => {}
let web: SignInServer
before(async () => {
  web = await SignInServer.start()
})
after(async () => {
  await web.close()
  rmSync(folder, { recursive: true })
})

const opened: ServerConnection[] = []
afterEach(async () => {
  for (const connection of opened.splice(0)) await connection.close()
  rmSync(filePaths().signIns, { force: true })
  web.refuses = false
  web.registers = true
})

function serverFile(more: object = {}): string {
  const path = join(folder, 'servers.json')
  writeFileSync(path, JSON.stringify({ mcpServers: { web: { url: `${web.url}/mcp`, ...more } } }))
  return path
}

async function connect(more: object = {}): Promise<ServerConnection> {
  const [server] = await readServerFile(serverFile(more))
  const connection = new ServerConnection(server!)
  opened.push(connection)
  await connection.open()
  return connection
}

/** A user who agrees at once: the page redirects to the program. */
async function browser(url: URL): Promise<void> {
  const response = await fetch(url)
  assert.equal(response.status, 200)
}

function timeOf(connection: ServerConnection): Promise<unknown> {
  return connection.callTool({ name: 'time' }, undefined, noProgress).then(({ content }) => content)
}

const time = [{ type: 'text', text: '12:00' }]
const wanted =
  'it wants a sign-in: /mcp login web in the chat opens the browser for it, or put a token into its headers in the file, such as {"authorization": "Bearer ${TOKEN}"}'

test('a sign-in is kept for later programs, in a file that only its owner can read', async () => {
  const first = await connect()
  assert.equal(first.failure, wanted)
  const pages: URL[] = []
  await first.signIn(async (url) => (pages.push(url), browser(url)), never)
  assert.equal(first.failure, undefined)
  assert.deepEqual(await timeOf(first), time)
  assert.equal(pages[0]!.searchParams.get('scope'), 'clock')
  assert.equal(pages[0]!.searchParams.get('resource'), `${web.url}/mcp`)
  assert.equal(statSync(filePaths().signIns).mode & 0o777, 0o600)
  const later = await connect()
  assert.deepEqual(await timeOf(later), time)
  await later.signOut(never)
  assert.equal(later.failure, wanted)
  assert.doesNotMatch(readFileSync(filePaths().signIns, 'utf8'), /access-/)
})

test('a token that has expired is replaced once, also by requests at the same time', async () => {
  const connection = await connect()
  await connection.signIn(browser, never)
  web.expire('access')
  web.paths.length = 0
  assert.deepEqual(await Promise.all([timeOf(connection), timeOf(connection)]), [time, time])
  assert.deepEqual(web.paths, ['/token'])
})

test('a token that another program has replaced is read again', async () => {
  const [one, other] = [await connect(), await connect()]
  await one.signIn(browser, never)
  await other.open()
  web.expire('access')
  assert.deepEqual(await timeOf(one), time)
  web.paths.length = 0
  assert.deepEqual(await timeOf(other), time)
  assert.deepEqual(web.paths, [])
})

test('a sign-in that was withdrawn fails the call with what to do', async () => {
  const connection = await connect()
  await connection.signIn(browser, never)
  web.expire('all')
  await assert.rejects(timeOf(connection), { message: `Cannot use the MCP server web: ${wanted}` })
  assert.equal(connection.failure, wanted)
  await connection.signIn(browser, never)
  assert.deepEqual(await timeOf(connection), time)
})

test('a sign-in that fails says why, and keeps nothing', async () => {
  const connection = await connect()
  web.refuses = true
  await assert.rejects(connection.signIn(browser, never), { message: 'Cannot sign in at web: access_denied' })
  web.registers = false
  await assert.rejects(connection.signIn(browser, never), { message: /at web: its sign-in takes registered clients/ })
  const controller = new AbortController()
  web.registers = true
  const stopped = connection.signIn(async () => controller.abort(), controller.signal)
  await assert.rejects(stopped, { name: 'AbortError' })
  assert.equal(connection.failure, wanted)
  const program = { name: 'p', timeoutMs: undefined, kind: 'program', command: 'x', args: [], env: {}, cwd: undefined }
  const local = new ServerConnection(program as ConstructorParameters<typeof ServerConnection>[0])
  await assert.rejects(local.signIn(browser, never), {
    message: 'Cannot sign in at p: it is a program, not an address',
  })
  const given = await connect({ headers: { Authorization: 'Bearer x' } })
  assert.match(given.failure!, /^it refused the request \(status 401\): put a token/)
  await assert.rejects(given.signIn(browser, never), { message: /its headers in the file have a token/ })
})

test('a client of the file is used where servers register none', async () => {
  web.registers = false
  const connection = await connect({ oauth: { clientId: 'mine' } })
  const pages: URL[] = []
  await connection.signIn(async (url) => (pages.push(url), browser(url)), never)
  assert.equal(pages[0]!.searchParams.get('client_id'), 'mine')
  assert.deepEqual(await timeOf(connection), time)
})

test('a return with another state is not the end of the sign-in', async () => {
  const connection = await connect()
  await connection.signIn(async (url) => {
    const forged = new URL(url.searchParams.get('redirect_uri')!)
    forged.search = '?state=forged&code=stolen'
    assert.equal((await fetch(forged)).status, 404)
    await browser(url)
  }, never)
  assert.deepEqual(await timeOf(connection), time)
})

test('/mcp login shows the page without a browser, waits for the user, and Esc stops it', async () => {
  const { flags } = await parse(['chat', '--engine', 'offline', '--no-save', '--mcp', serverFile()])
  const user = new User(new VirtualTerminal(600, 24), (input, output) => chat([], flags, { input, output }))
  try {
    await user.sees(/it wants a sign-in: \/mcp login web/)
    await user.says('/mcp login web')
    await user.sees(/Open this page to sign in:\nhttp/)
    await user.type('\x1b')
    await user.sees(/✗ Stopped\./)
    await user.says('/mcp login web')
    await user.sees(/sign in:\nhttp[^]*sign in:\nhttp/)
    await browser(new URL(user.terminal.text.match(/^http.*$/gm)!.at(-1)!))
    await user.sees(/✓ web: 1 tool/)
    await user.says('/mcp logout web')
    await user.sees(/✗ web: it wants a sign-in/)
    await user.type('\x04')
    assert.equal(await user.left, 0)
  } finally {
    await user.type('\x03\x04')
  }
})
