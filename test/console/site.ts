import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { type Server, conversationRoutes, createServer } from '@colloquy/server'
import { openAccess } from '@colloquy/server/access'
import { consoleRoutes } from '@colloquy/server/console'
import { listen } from '@colloquy/server/node'
import { openServerStore } from '@colloquy/server/store'
import { type Conversations, openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import type { Engine } from 'colloquy/engines'
import type { RunnableTool } from 'colloquy/tools'
import { root } from '../source.ts'

/** A server with the console on a SQLite file. */
export interface Site {
  /** The folder of the SQLite files, `chats.db` and `server.db`. */
  folder: string
  url: string
  /** An address that opens a session, once. */
  newLink: () => string
  /** The secret of a new key, which opens the page for a member. */
  newKey: (name: string) => Promise<string>
  conversations: Conversations
  /** Stops the server and its conversations. `reopen()` starts others on the same port and file. */
  close(): Promise<void>
  reopen(): Promise<void>
  /** Closes, and deletes the file. */
  remove(): Promise<void>
}

const secret = randomBytes(32)

/** Builds the page into a temporary folder. Returns the folder. */
export async function buildConsole(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'colloquy-console-'))
  const project = join(root, 'packages/console')
  await build({
    configFile: join(project, 'vite.config.ts'),
    root: project,
    logLevel: 'warn',
    build: { outDir, emptyOutDir: true },
  })
  return outDir
}

/** The path of the site, as behind a proxy that takes it off: no address of the page may lead past it. */
const sitePath = '/colloquy'

interface SiteOptions {
  /** The clock of the ledger. Default: the machine's. */
  now?: () => number
  /** The tools of the server. Default none. */
  tools?: RunnableTool[]
}

export async function openSite(
  pages: string,
  engine: Engine,
  { now = Date.now, tools = [] }: SiteOptions = {},
): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-site-'))
  let running = await start({ pages, engine, folder, now, tools }, 0)
  const { port, url } = running
  return {
    folder,
    url,
    newLink: () => running.newLink(),
    newKey: (name) => running.newKey(name),
    get conversations() {
      return running.conversations
    },
    close: () => running.close(),
    async reopen() {
      running = await start({ pages, engine, folder, now, tools }, port)
    },
    async remove() {
      await running.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Parts {
  pages: string
  engine: Engine
  folder: string
  now: () => number
  tools: RunnableTool[]
}

async function start(
  { pages, engine, folder, now, tools }: Parts,
  port: number,
): Promise<{
  url: string
  port: number
  newLink: () => string
  newKey: (name: string) => Promise<string>
  conversations: Conversations
  close: () => Promise<void>
}> {
  const conversations = openConversations({ engine, store: sqliteStore(join(folder, 'chats.db')), traces: true })
  const store = await openServerStore(join(folder, 'server.db'))
  const access = await openAccess({ store, anonymous: true, engine: 'test', now })
  const page = consoleRoutes({ secret, folder: pages, access, members: true })
  const defaults = { model: 'claude-opus-4-8', max_tokens: 1024 }
  const api = conversationRoutes({ conversations, admit: page.admit, defaults, tools: () => tools })
  const server = createServer({ engine, access, now, routes: [page, api] })
  const listening = await listen({ ...server, fetch: below(sitePath, server), answer: () => undefined }, { port })
  const url = listening.url + sitePath
  let isClosed = false
  return {
    url,
    port: listening.port,
    newLink: () => `${url}/#k=${page.newToken()}`,
    newKey: async (name) => (await access.keys.create({ name, budgets: [{ usd: '5', per: 'day' }] })).secret,
    conversations,
    async close() {
      if (isClosed) return
      isClosed = true
      await api.close()
      await listening.close({ graceMs: 200 })
      await conversations.close()
      await access.close()
      await store.close()
    },
  }
}

/** Answers requests below a path with the path taken off, and others with 404. */
function below(path: string, { fetch }: Server): Server['fetch'] {
  return async (input) => {
    const request = input as Request
    const url = new URL(request.url)
    if (!url.pathname.startsWith(`${path}/`)) return new Response('Not below the path\n', { status: 404 })
    url.pathname = url.pathname.slice(path.length)
    const passed = new Request(url, request)
    passed.headers.set('x-forwarded-prefix', path)
    return fetch(passed)
  }
}
