import { type Signal, signal } from '@preact/signals'
import type { SessionJson } from './types.ts'

/** A request that the server refused, or that did not reach it. */
export class ApiFailure extends Error {
  override name = 'ApiFailure'
  /** 0 if the server did not answer. */
  readonly status: number
  /** The API's type, such as `not_found_error`. */
  readonly type: string
  readonly requestId: string | undefined

  constructor(status: number, type: string, message: string, requestId?: string) {
    super(message)
    this.status = status
    this.type = type
    this.requestId = requestId
  }
}

/**
 * `locked`: the page has no session; it had one if `wasOpen`. `lost`: the server cannot be reached; the page tries again at
 * `retryAt`.
 */
export type Connection =
  | { state: 'connected' }
  | { state: 'locked'; wasOpen: boolean }
  | { state: 'lost'; retryAt: number }

export const connection: Signal<Connection> = signal({ state: 'connected' })

/** The address of the server. It may have a path, as behind a proxy: the server writes a `<base>` into the page that leads to it. */
export const serverUrl: string = document.baseURI.replace(/\/$/, '')

/** How many requests the reader waits for: changes, and what is slow to load. */
export const waits: Signal<number> = signal(0)

const retryMs = 4_000
let wasOpen = false

/**
 * Sends a request to this server and returns the response. Throws an `ApiFailure` unless it succeeds.
 *
 * @param path without a slash at its beginning, as all addresses in the page, so that it leads to the server below any path.
 */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response
  // The reader waits for no request that can be given up, such as an estimate.
  const isChange = init.method !== undefined && init.method !== 'GET' && !init.signal
  try {
    if (isChange) waits.value++
    response = await fetch(path, init).finally(() => isChange && waits.value--)
  } catch (error) {
    if (init.signal?.aborted) throw error
    lose()
    throw unreached(`Cannot reach the server at ${location.host}`)
  }
  // A page, such as that of a proxy whose own session has ended, is not the server's.
  if (/html/.test(response.headers.get('content-type') ?? '')) throw foreign(response)
  const { state } = connection.peek()
  // A server without keys shows its usage to everyone.
  const hasSession = response.ok && /^api\/(?!session)/.test(path)
  wasOpen ||= hasSession
  if (response.status === 401) lock()
  // Another tab may have opened a session, whose cookie this one has too.
  else if (state === 'lost' || (state === 'locked' && hasSession)) connection.value = { state: 'connected' }
  if (response.ok) return response
  throw await failureOf(response)
}

/** Sends JSON and returns the JSON of the response. */
export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    ...(signal && { signal }),
  })
  return (await response.json()) as T
}

/** Loads code of the page that is not needed at first. Throws an error that says why it is not there. */
export async function loadCode<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    // Throws if the server cannot be reached. One that answers has been started again with other files.
    await send('api/session')
    throw new Error('The server has another version of this page. Reload it.', { cause: error })
  }
}

/** The failure of a request that the server may have received nevertheless. */
function unreached(message: string): ApiFailure {
  return new ApiFailure(0, 'connection_error', message)
}

function foreign({ status }: Response, text?: string): ApiFailure {
  return unreached(text || `Something else answered in place of the server, with status ${status}`)
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const requestId = response.headers.get('request-id') ?? undefined
  const text = await response.text().catch(() => '')
  try {
    const { error } = JSON.parse(text) as { error: { type: string; message: string } }
    return new ApiFailure(response.status, error.type, error.message, requestId)
  } catch {
    return foreign(response, text.slice(0, 200))
  }
}

function lock(): void {
  // The same state again would tell its readers of a change.
  if (connection.peek().state !== 'locked') connection.value = { state: 'locked', wasOpen }
}

/** Notes that the server cannot be reached, and looks for it until it can. */
export function lose(): void {
  if (connection.peek().state !== 'connected') return
  lookLater()
}

function lookLater(): void {
  connection.value = { state: 'lost', retryAt: Date.now() + retryMs }
  setTimeout(() => void findSession(), retryMs)
}

/** Looks for the server, and for a session that another tab may have opened. Undefined if the server cannot be reached. */
export async function findSession(): Promise<SessionJson | undefined> {
  try {
    // Not by `send()`: this succeeds also without a session.
    const session = (await (await fetch('api/session')).json()) as SessionJson
    // An error has no such member.
    if (session.open === undefined) throw unreached('')
    if (!session.open) lock()
    else if (connection.peek().state !== 'connected') connection.value = { state: 'connected' }
    return session
  } catch {
    lookLater()
    return undefined
  }
}
