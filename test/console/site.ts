import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { build } from 'vite'
import { conversationRoutes, createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import { type Conversations, openConversations } from 'colloquy/conversation'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import type { Engine } from 'colloquy/engines'
import { root } from '../source.ts'

/** A server with the console on a SQLite file. */
export interface Site {
  url: string
  conversations: Conversations
  /** Stops the server and its conversations. `reopen()` starts others on the same port and file. */
  close(): Promise<void>
  reopen(): Promise<void>
  /** Closes, and deletes the file. */
  remove(): Promise<void>
}

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

export async function openSite(pages: string, engine: Engine): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-site-'))
  let running = await start(pages, engine, join(folder, 'chats.db'), 0)
  const { port, url } = running
  return {
    url,
    get conversations() {
      return running.conversations
    },
    close: () => running.close(),
    async reopen() {
      running = await start(pages, engine, join(folder, 'chats.db'), port)
    },
    async remove() {
      await running.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function start(
  pages: string,
  engine: Engine,
  file: string,
  port: number,
): Promise<{ url: string; port: number; conversations: Conversations; close: () => Promise<void> }> {
  const conversations = openConversations({ engine, store: sqliteStore(file) })
  const api = conversationRoutes({ conversations, defaults: { model: 'claude-opus-4-8', max_tokens: 1024 } })
  const server = createServer({ engine, routes: [api, { answer: (request) => page(pages, request) }] })
  const listening = await listen(server, { port })
  let isClosed = false
  return {
    url: listening.url,
    port: listening.port,
    conversations,
    async close() {
      if (isClosed) return
      isClosed = true
      await api.close()
      await listening.close({ graceMs: 200 })
      await conversations.close()
    },
  }
}

const types: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
}

function page(pages: string, { url }: Request): Promise<Response> | undefined {
  const { pathname } = new URL(url)
  if (/^\/(?:v1|admin|healthz)/.test(pathname)) return undefined
  const file = extname(pathname) === '' ? '/index.html' : pathname
  return Promise.resolve(
    new Response(readFileSync(join(pages, file)), { headers: { 'content-type': types[extname(file)] ?? '' } }),
  )
}
