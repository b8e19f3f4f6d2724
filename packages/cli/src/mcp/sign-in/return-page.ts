import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { APIUserAbortError } from 'colloquy/protocol'
import { ExitCode, ExitError } from '../../exit.ts'
import { systemReason } from '../../errors/system-error.ts'
import { escapeHtml } from '../../markdown/html/escape.ts'

const path = '/callback'

/** The longest wait for a user at the browser. Milliseconds. */
const maxWaitMs = 600_000

/** The page on this machine to which a browser returns after a sign-in. */
export interface ReturnPage {
  url: string
  /** The parameters with which the browser returned. Rejects if the user stops waiting, or after ten minutes. */
  returned: Promise<URLSearchParams>
  close: () => void
}

/**
 * Opens the page to which a browser returns with this state: a request with another one is not of this sign-in.
 *
 * @param port the port of the page. 0 chooses a free one.
 */
export async function openReturnPage(state: string, port: number, signal: AbortSignal): Promise<ReturnPage> {
  const { promise: returned, resolve, reject } = Promise.withResolvers<URLSearchParams>()
  // It may be rejected before anyone waits for it.
  returned.catch(() => {})
  const server = createServer((request, response) => {
    const parameters = parametersOf(request)
    if (parameters?.get('state') !== state) return void response.writeHead(404).end()
    answer(response, parameters)
    resolve(parameters)
  })
  await listen(server, port)
  const timer = setTimeout(
    () => reject(new ExitError(ExitCode.failed, 'The sign-in was not finished in ten minutes')),
    maxWaitMs,
  )
  const stop = (): void => reject(new APIUserAbortError())
  signal.addEventListener('abort', stop, { once: true })
  const close = (): void => {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    server.close()
    server.closeIdleConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, returned, close }
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, '127.0.0.1', resolve)
  try {
    await promise
  } catch (error) {
    throw new ExitError(ExitCode.failed, `Cannot wait for the browser at port ${port}: ${systemReason(error)}`)
  }
}

function parametersOf({ url = '' }: IncomingMessage): URLSearchParams | undefined {
  const parsed = URL.parse(url, 'http://127.0.0.1')
  return parsed?.pathname === path ? parsed.searchParams : undefined
}

function answer(response: ServerResponse, parameters: URLSearchParams): void {
  const reason = refusalIn(parameters)
  const said = reason === undefined ? 'You are signed in.' : `You are not signed in: ${reason}.`
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', connection: 'close' })
  response.end(
    `<!doctype html><title>Colloquy</title><p>${escapeHtml(said)} You can close this page and return to the chat.\n`,
  )
}

/** Why the server of the sign-in refused it. Undefined if it did not. */
export function refusalIn(parameters: URLSearchParams): string | undefined {
  return parameters.get('error_description') ?? parameters.get('error') ?? undefined
}
