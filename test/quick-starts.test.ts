// Calls what the programs of docs/quick-starts export. test/docs.test.ts runs the others, and
// test/packaging/quick-starts.test.ts all of them with the packed packages.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { filesOfPage } from './page-files.ts'
import { root } from './source.ts'

// Next to the packages, so that `import 'colloquy'` resolves as in a user's program.
const folder = mkdtempSync(join(root, '.docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

type Route = (request: Request, context: { params: Promise<{ id: string }> }) => Promise<Response>
type Ask = (id: string, question: string, setReply: (text: string) => void) => Promise<void>
interface Worker {
  fetch(request: Request, env: unknown, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response>
}

const url = 'http://localhost/sums'
const question = { method: 'POST', body: 'What is 6 * 7?' }
const params = Promise.resolve({ id: 'sums' })

test('the Next.js route replies, and has nothing to resume after the reply', async () => {
  const { POST, GET } = await load<{ POST: Route; GET: Route }>('nextjs', 'app/chats/[id]/route.js')
  assert.match(await (await POST(new Request(url, question), { params })).text(), /6 \* 7 = 42/)
  assert.equal((await GET(new Request(url), { params })).status, 204)
})

test('the worker replies, and keeps itself alive for the turn', async () => {
  const { default: worker } = await load<{ default: Worker }>('worker', 'worker.ts')
  const works: Promise<unknown>[] = []
  const context = { waitUntil: (work: Promise<unknown>) => void works.push(work) }
  assert.match(await (await worker.fetch(new Request(url, question), {}, context)).text(), /6 \* 7 = 42/)
  assert.equal(works.length, 1)
  await works[0]
  assert.equal((await worker.fetch(new Request(url), {}, context)).status, 204)
})

test('the function for React shows the reply of the Next.js route', async (t) => {
  const { POST } = await load<{ POST: Route }>('nextjs', 'app/chats/[id]/route.js')
  const { ask } = await load<{ ask: Ask }>('react', 'ask.ts')
  t.mock.method(globalThis, 'fetch', (path: string, init: RequestInit) =>
    POST(new Request(new URL(path, url), init), { params }),
  )
  let shown = ''
  await ask('sums', 'What is 6 * 7?', (text) => (shown = text))
  assert.equal(shown, '6 * 7 = 42')
})

/** The exports of a file of a quick start. */
async function load<T>(page: string, name: string): Promise<T> {
  const place = join(folder, page)
  for (const { path, text } of filesOfPage(`docs/quick-starts/${page}.md`)) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), text)
  }
  return (await import(pathToFileURL(join(place, name)).href)) as T
}
