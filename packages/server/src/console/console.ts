import { toErrorResponse } from 'colloquy/conversation'
import { AuthenticationError } from 'colloquy/protocol'
import type { Access, Caller } from '../access/access.ts'
import type { SessionJson } from '../conversations/api.ts'
import { Bodies, object } from '../conversations/input.ts'
import type { Admitted } from '../conversations/options.ts'
import { checkSameOrigin } from '../conversations/same-origin.ts'
import { string } from '../messages/validate/schema.ts'
import { pathTakenOff } from '../operate/proxied.ts'
import type { Routes } from '../options.ts'
import { isPersonal, operator, ownAdmin } from './members.ts'
import { consoleFolder, Page } from './page.ts'
import { noSession, Sessions } from './sessions.ts'
import { sharedSecret } from './shared-secret.ts'

export type { SessionJson }
export { consoleFolder, sharedSecret }

/** Options of `consoleRoutes()`. */
export interface ConsoleOptions {
  /** Signs the sessions: at least 32 random bytes, the same after a restart. Several servers share one: see `sharedSecret()`. */
  secret: Uint8Array
  /** Further secrets whose signatures are accepted, such as the one before. Default none. */
  acceptedSecrets?: readonly Uint8Array[]
  /** The folder of the built page, which is read with the first request for it. Default: that of this package. */
  folder?: string
  /** Called before the folder is read, for a program that builds the page when it is first used. Default: nothing. */
  prepare?: () => Promise<void>
  /** The keys and the ledger, which a page with a session may use. Default: the page shows none. */
  access?: Access
  /**
   * Whether every key opens the page: the keys of `access` are then the members of a team, each with the chats that it owns and
   * with its own usage. Default false: only admin keys open it, and see all chats.
   */
  members?: boolean
  /** The process, for a program that finds the port in use. Default: this one. */
  pid?: number
}

/** The web console of a server on this machine: its page, its sessions, and for these the routes below `/admin`. */
export interface ConsoleRoutes extends Routes {
  /** A token for one visit, valid for ten minutes: `http://127.0.0.1:4141/#k=TOKEN`. */
  newToken(): string
  /** The token for programs that use `/api`: `Authorization: Bearer TOKEN`. */
  programToken: string
  /**
   * Rejects with the API's 401 unless a request has a session: the option `admit` of `conversationRoutes()`. With `members`, the
   * owner is the id of the key that opened the session; one of a link has none, and may use all chats.
   */
  admit: (request: Request) => Promise<Admitted>
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
  const {
    secret,
    acceptedSecrets,
    folder = consoleFolder,
    prepare,
    access,
    members = false,
    pid = process.pid,
  } = options
  const sessions = new Sessions(secret, acceptedSecrets)
  const page = new Page(folder, prepare)
  const bodies = new Bodies({ maxBodyBytes: 4_096 })
  const find = async (request: Request): Promise<Caller | undefined> => {
    const session = sessions.of(request)
    if (session === undefined || session.keyId === '') return session && operator
    // The key may have been revoked, or have expired, since it opened the session.
    return visitorOf(() => access?.recall(session.keyId, 'default'), members)
  }
  const check = async (request: Request): Promise<Caller> => {
    const visitor = await find(request)
    if (visitor === undefined) throw noSession('There is no session: open the link that the server prints')
    return visitor
  }
  const administer = async (request: Request, keys: Access): Promise<Response> => {
    const visitor = await check(request)
    return visitor.isAdmin ? keys.admin(request, operator) : ownAdmin(request, keys, visitor)
  }
  const answer: Routes['answer'] = (request, onError) => {
    const { pathname } = new URL(request.url)
    const parts = { sessions, bodies, pid, access, members, find }
    if (pathname === '/api/session') return guarded(request, () => session(request, parts), onError)
    // A request with a key is one of a program, as without the console.
    const isPage = pathname.startsWith('/admin/') && access && !hasKey(request) && sessions.of(request)
    if (isPage) return guarded(request, () => administer(request, access), onError)
    return page.answer(request)
  }
  const admit = async (request: Request): Promise<Admitted> => {
    const { key } = await check(request)
    return members && key ? { owner: key.id } : {}
  }
  return { answer, admit, newToken: () => sessions.newToken(), programToken: sessions.programToken }
}

function hasKey({ headers }: Request): boolean {
  return headers.has('x-api-key') || headers.has('authorization')
}

async function guarded(
  request: Request,
  work: () => Promise<Response>,
  onError?: (error: unknown) => void,
): Promise<Response> {
  try {
    checkSameOrigin(request)
    return await work()
  } catch (error) {
    onError?.(error)
    return toErrorResponse(error)
  }
}

const tokenBody = object<{ token: string }>({ token: string })

interface SessionParts {
  sessions: Sessions
  bodies: Bodies
  pid: number
  access: Access | undefined
  members: boolean
  find: (request: Request) => Promise<Caller | undefined>
}

async function session(request: Request, parts: SessionParts): Promise<Response> {
  const { sessions, bodies, pid, access, members } = parts
  if (request.method === 'GET') {
    const visitor = await parts.find(request)
    const [open, member] = [visitor !== undefined, visitor?.isAdmin === false]
    const found: SessionJson = { program: 'colloquy', pid, open, member, keyId: visitor?.key?.id ?? null }
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
  const visitor = await visitorOf(() => access?.admit(new Headers({ 'x-api-key': token })), members)
  const keyId = visitor?.key?.id
  const cookie = keyId === undefined ? sessions.exchange(token, options) : sessions.cookieFor({ keyId }, options)
  return new Response(null, { status: 204, headers: { 'set-cookie': cookie } })
}

/** The sender, if the key opens the page: an admin's does, and with `members` every personal one. Otherwise undefined. */
async function visitorOf(
  find: () => Caller | Promise<Caller> | undefined,
  members: boolean,
): Promise<Caller | undefined> {
  try {
    const caller = await find()
    // Without keys the server admits everyone.
    return caller?.key && (caller.isAdmin || (members && isPersonal(caller.key))) ? caller : undefined
  } catch (error) {
    if (error instanceof AuthenticationError) return undefined
    throw error
  }
}
