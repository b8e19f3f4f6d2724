import { apiError } from 'colloquy/protocol'
import type { RequestHeaders } from './request-headers.ts'

/** The host names by which a server may be addressed. `false` turns the checks of host and origin off. */
export type AllowedHosts = readonly string[] | false

const loopback = ['localhost', '127.0.0.1', '[::1]']

export interface HostRules {
  /** Names besides those that public DNS cannot resolve. Undefined: any. */
  names: readonly string[] | undefined
  /** Whether pages of the origin may use the server, besides pages of the server itself and of this machine. */
  isOriginAllowed: (origin: string) => boolean
}

/**
 * Throws the API's 403 for a request that a page of another site may have sent. Such a page can give its own name the address
 * of this server (DNS rebinding), or send a simple request without asking.
 */
export function checkHost(headers: RequestHeaders, { names, isOriginAllowed }: HostRules): void {
  const host = nameOf(headers.get('host') ?? '')
  // Browsers always name a host. Only HTTP/1.0 may leave it out, as the health checks of balancers do.
  if (names && host !== '' && !isPrivateName(host) && !names.includes(host)) throw notAllowed('host', host)
  const origin = headers.get('origin')
  if (origin === null) return
  const name = nameOf(URL.parse(origin)?.host ?? '')
  if (name !== '' && (name === host || isLoopback(name) || names?.includes(name))) return
  if (!isOriginAllowed(origin)) throw notAllowed('origin', origin)
}

/** Whether a server that listens on the host name or address can be reached from this machine only. */
export function isLoopback(name: string): boolean {
  return loopback.includes(name) || name === '::1' || name.endsWith('.localhost') || /^127\.[\d.]+$/.test(name)
}

/** IP addresses and names without a dot: no page can make them lead here. */
function isPrivateName(name: string): boolean {
  return isLoopback(name) || name.startsWith('[') || /^[\d.]+$/.test(name) || /^[^.]+$/.test(name)
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '')
}

function notAllowed(kind: string, found: string): Error {
  return apiError('permission_error', `Not allowed: ${kind} ${found.slice(0, 200)}`)
}
