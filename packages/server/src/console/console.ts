import { toErrorResponse } from 'colloquy/conversation'
import { AuthenticationError } from 'colloquy/protocol'
import type { Access, Caller } from '../access/access.ts'
import { Bodies, object } from '../conversations/input.ts'
import { checkSameOrigin } from '../conversations/same-origin.ts'
import { string } from '../messages/validate/schema.ts'
import { pathTakenOff } from '../operate/proxied.ts'
import type { Routes } from '../options.ts'
import { consoleFolder, Page } from './page.ts'
import { noSession, Sessions } from './sessions.ts'

export { consoleFolder }

/** Options of `consoleRoutes()`. */
export interface ConsoleOptions {
  /** Signs the sessions: at least 32 random bytes, the same after a restart. */
  secret: Uint8Array
  /** The folder of the built page, which is read with the first request for it. Default: that of this package. */
  folder?: string
  /** Called before the folder is read, for a program that builds the page when it is first used. Default: nothing. */
  prepare?: () => Promise<void>
  /** The keys and the ledger, which a page with a session may use. Default: the page shows none. */
  access?: Access
  /** The process, for a program that finds the port in use. Default: this one. */
  pid?: number
}

/** The web console of a server on this machine: its page, its sessions, and for these the routes below `/admin`. */
export interface ConsoleRoutes extends Routes {
  /** A token for one visit, valid for ten minutes: `http://127.0.0.1:4141/#k=TOKEN`. */
  newToken(): string
  /** The token for programs that use `/api`: `Authorization: Bearer TOKEN`. */
  programToken: string
  /** Rejects with the API's 401 unless a request has a session: the option `admit` of `conversationRoutes()`. */
  admit: (request: Request) => Promise<{ owner?: string }>
}

/** The response of `GET /api/session`. */
export interface SessionJson {
  program: 'colloquy'
  pid: number
  /** Whether the request has a session. */
  open: boolean
}

/** A token for one visit to a server with the same secret, which may be another process. */
export function newConsoleToken(secret: Uint8Array): string {
  return new Sessions(secret).newToken()
}

/**
 * The routes of the console.
 *
 * @example
 * ```ts
 * import { conversationRoutes, createServer } from '@colloquy/server'
 * import { consoleRoutes } from '@colloquy/server/console'
 * import { listen } from '@colloquy/server/node'
 * import { openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 * import { randomBytes } from 'node:crypto'
 *
 * const engine = offline()
 * const page = consoleRoutes({ secret: randomBytes(32) })
 * const defaults = { model: 'claude-sonnet-4-6', max_tokens: 1024 }
 * const api = conversationRoutes({ conversations: openConversations({ engine }), admit: page.admit, defaults })
 * const { url, close } = await listen(createServer({ engine, routes: [page, api] }), { port: 0 })
 * console.log(`Open ${url}/#k=${page.newToken()}`)
 * await close()
 * await api.close()
 * ```
 */
export function consoleRoutes(options: ConsoleOptions): ConsoleRoutes {
  const { secret, folder = consoleFolder, prepare, access, pid = process.pid } = options
  const sessions = new Sessions(secret)
  const page = new Page(folder, prepare)
  const bodies = new Bodies({ maxBodyBytes: 4_096 })
  const isOpen = async (request: Request): Promise<boolean> => {
    const session = sessions.of(request)
    if (session === undefined || session.keyId === '') return session !== undefined
    // The key may have been revoked, or have expired, since it opened the session.
    return (await adminOf(() => access?.recall(session.keyId, 'default'))) !== undefined
  }
  const check = async (request: Request): Promise<void> => {
    if (!(await isOpen(request))) throw noSession('There is no session: open the link that the server prints')
  }
  const administer = async (request: Request, keys: Access): Promise<Response> => {
    await check(request)
    return keys.admin(request, operator)
  }
  const answer = (request: Request): Promise<Response> | undefined => {
    const { pathname } = new URL(request.url)
    const parts = { sessions, bodies, pid, access, isOpen }
    if (pathname === '/api/session') return guarded(request, () => session(request, parts))
    // A request with a key is one of a program, as without the console.
    const isPage = pathname.startsWith('/admin/') && access && !hasKey(request) && sessions.of(request)
    if (isPage) return guarded(request, () => administer(request, access))
    return page.answer(request)
  }
  const admit = async (request: Request): Promise<{ owner?: string }> => {
    await check(request)
    return {}
  }
  return { answer, admit, newToken: () => sessions.newToken(), programToken: sessions.programToken }
}

/** The person at this machine. */
const operator: Caller = { key: undefined, workspace: 'default', isAdmin: true }

function hasKey({ headers }: Request): boolean {
  return headers.has('x-api-key') || headers.has('authorization')
}

async function guarded(request: Request, work: () => Promise<Response>): Promise<Response> {
  try {
    checkSameOrigin(request)
    return await work()
  } catch (error) {
    return toErrorResponse(error)
  }
}

const tokenBody = object<{ token: string }>({ token: string })

interface SessionParts {
  sessions: Sessions
  bodies: Bodies
  pid: number
  access: Access | undefined
  isOpen: (request: Request) => Promise<boolean>
}

async function session(request: Request, { sessions, bodies, pid, access, isOpen }: SessionParts): Promise<Response> {
  if (request.method === 'GET') {
    const found: SessionJson = { program: 'colloquy', pid, open: await isOpen(request) }
    return Response.json(found, { headers: { 'cache-control': 'no-store' } })
  }
  // A proxy ends TLS; the origin is the page's own.
  const isSecure = request.headers.get('origin')?.startsWith('https:') ?? false
  const options = { isSecure, path: `${pathTakenOff(request.headers)}/` }
  if (request.method === 'DELETE') {
    return new Response(null, { status: 204, headers: { 'set-cookie': sessions.ended(options) } })
  }
  if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'GET, POST, DELETE' } })
  const { token } = await bodies.read(request, tokenBody)
  const keyId = await adminOf(() => access?.admit(new Headers({ 'x-api-key': token })))
  const cookie = keyId === undefined ? sessions.exchange(token, options) : sessions.cookieFor({ keyId }, options)
  return new Response(null, { status: 204, headers: { 'set-cookie': cookie } })
}

/** The id of the key of an admin. Undefined if the key is not valid, or not one of an admin. */
async function adminOf(find: () => Caller | Promise<Caller> | undefined): Promise<string | undefined> {
  try {
    const caller = await find()
    // Without keys the server admits everyone.
    return caller?.isAdmin ? caller.key?.id : undefined
  } catch (error) {
    if (error instanceof AuthenticationError) return undefined
    throw error
  }
}
