import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { openConversations } from 'colloquy/conversation'
import { readTurn } from 'colloquy/conversation/reader'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { offline } from 'colloquy/engines'
import { read, root } from './source.ts'

// The examples of docs/page-of-your-own.md for other servers, run as they stand there.
const page = read('docs/page-of-your-own.md')
const folder = mkdtempSync(join(root, '.page-'))
after(() => rmSync(folder, { recursive: true }))
const settings = { model: 'claude-sonnet-4-6', max_tokens: 1024 }

/** The JavaScript of the page after a heading in bold. */
function exampleOf(name: string): string {
  const [, code] = new RegExp(`\\*\\*${name}[^]*?\`\`\`js\\n([^]*?)\`\`\``).exec(page) ?? []
  assert.ok(code, `the page has an example for ${name}`)
  return code
}

/** Loads an example as a module. `conversations`, `settings` and others are given as globals. */
async function load<T>(name: string, given: object): Promise<T> {
  const source = exampleOf(name).replace(/^import \{ conversations.*$/m, '')
  const file = join(folder, `${name.replaceAll(/\W/g, '')}.mjs`)
  writeFileSync(file, source)
  Object.assign(globalThis, given)
  return (await import(pathToFileURL(file).href)) as T
}

type Respond = (request: Request) => Promise<Response>

/** Asks, leaves in the middle, and reads the rest as a page does that was reloaded. */
async function checkTurn(respond: Respond): Promise<void> {
  const url = 'http://localhost/sums'
  const turn = readTurn(respond(new Request(url, { method: 'POST', body: 'Count from 1 to 60' })))
  for await (const _ of turn.text) break
  const rest = readTurn(respond(new Request(url, { headers: { 'last-event-id': turn.lastEventId! } })))
  let text = ''
  for await (const part of rest.text) text += part
  assert.match(text, /\b59\b[^]*\b60\b/)
  assert.equal(rest.message?.state, 'committed')
  assert.equal(rest.end?.error, null)
}

function open(path = ':memory:'): ReturnType<typeof openConversations> {
  return openConversations({ engine: offline({ wordsPerSecond: 400 }), store: sqliteStore(path) })
}

test('the example for Next.js streams a turn and resumes it', async () => {
  const conversations = open()
  type Handler = (request: Request, context: { params: Promise<{ id: string }> }) => Promise<Response>
  const { POST, GET } = await load<{ POST: Handler; GET: Handler }>('Next.js', { conversations, settings })
  await checkTurn((request) => {
    return (request.method === 'POST' ? POST : GET)(request, { params: Promise.resolve({ id: 'sums' }) })
  })
  await conversations.close()
})

test('the example for a worker streams a turn, resumes it, and keeps the worker alive', async () => {
  const conversations = open()
  const waiting: Promise<unknown>[] = []
  type Worker = { default: { fetch(request: Request, env: object, context: object): Promise<Response> } }
  const worker = (await load<Worker>('A worker', { conversations, settings })).default
  const context = { waitUntil: (work: Promise<unknown>) => waiting.push(work) }
  await checkTurn((request) => worker.fetch(request, {}, context))
  assert.equal(waiting.length, 1)
  await Promise.all(waiting)
  await conversations.close()
})

test('the example for Express streams a turn and resumes it over a socket', async () => {
  const conversations = open()
  type Handle = (req: object, res: ServerResponse) => Promise<void>
  const routes: Partial<Record<string, Handle>> = {}
  // Express hands its handlers these parts: Node's own response, and a request with `params` and `body`.
  const app = {
    post: (_: string, handle: Handle) => void (routes['POST'] = handle),
    get: (_: string, handle: Handle) => void (routes['GET'] = handle),
  }
  await load('Express', { app, conversations, settings })
  const server = createServer((req, res) => {
    void bodyOf(req).then((body) => routes[req.method!]!({ headers: req.headers, params: { id: 'sums' }, body }, res))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await checkTurn(async ({ method, headers, body }) => {
    const text = body ? await new Response(body).text() : undefined
    return fetch(`http://127.0.0.1:${port}/sums`, { method, headers, ...(text !== undefined && { body: text }) })
  })
  server.close()
  server.closeAllConnections()
  await conversations.close()
})

test('a turn is joined and stopped through another store on the same file', async () => {
  const path = join(folder, 'chats.db')
  const [first, second] = [open(path), open(path)]
  const chat = await first.openOrCreate({ id: 'sums', ...settings })
  const turn = chat.send('Count from 1 to 2000')
  for await (const event of turn.stream) if (event.type === 'content_block_delta') break
  const reader = readTurn(second.resume('sums'))
  let text = ''
  for await (const part of reader.text) {
    text += part
    if (text.includes('3')) {
      assert.equal(await second.stop('sums'), true)
      break
    }
  }
  assert.match(text, /1[^]*2[^]*3/)
  await turn.catch(() => undefined)
  const [, reply] = (await second.open('sums')).messages
  assert.equal(reply?.state, 'interrupted')
  await Promise.all([first.close(), second.close()])
})

async function bodyOf(req: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of req.setEncoding('utf8')) text += String(chunk)
  return text
}
