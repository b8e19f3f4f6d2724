import { AnthropicError } from '../../../protocol/types/error.ts'
import { limitConnecting } from './limit-connecting.ts'
import type { NodeAgent, NodeConnectOptions, NodeHttp, NodeNet, NodeSocket, NodeTls } from './modules.ts'
import { builtin, environment } from '../runtime.ts'

const tunnelTimeoutMs = 10_000

/** Returns the proxy for a URL, if there is one. */
export type ProxyFor = (url: URL) => URL | undefined

/**
 * A function that returns the proxy for a URL; undefined if there is a proxy for none. It is the option, or else `https_proxy` or
 * `http_proxy` in lower or upper case, as the environment has them now. The variables do not apply to loopback hosts and to
 * those in `no_proxy`.
 */
export function proxiesOf(option: string | false | undefined): ProxyFor | undefined {
  if (option === false) return undefined
  if (option) {
    const proxy = parseProxy(option, 'proxy')
    return () => proxy
  }
  const [secure, plain] = [variableOf('https_proxy'), variableOf('http_proxy')]
  if (!secure && !plain) return undefined
  const exempt = variableOf('no_proxy')?.value ?? ''
  return (url) => {
    const variable = url.protocol === 'https:' ? secure : plain
    if (!variable || isLoopback(hostOf(url)) || isExempt(url, exempt)) return undefined
    return parseProxy(variable.value, variable.name)
  }
}

/** A variable of the environment, by its name in lower or upper case. */
function variableOf(lowerCase: string): { name: string; value: string } | undefined {
  for (const name of [lowerCase, lowerCase.toUpperCase()]) {
    const value = environment(name)
    if (value !== undefined) return { name, value }
  }
  return undefined
}

/** The URL of a proxy, whose scheme may be left out. `name` is where it was set. */
function parseProxy(text: string, name: string): URL {
  try {
    const url = new URL(text.includes('://') ? text : `http://${text}`)
    if (/^https?:$/.test(url.protocol) && url.hostname !== '') return url
  } catch {
    // Refused below.
  }
  const shown = text.replace(/(^|\/\/)[^/]*@/, '$1***@')
  throw new AnthropicError(`Cannot use ${name} as it must be the URL of an http or https proxy: found ${shown}`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host.startsWith('127.')
}

/** Whether `NO_PROXY` lists the host, its network, or a parent domain of it, with or without a port. `*` lists every host. */
function isExempt(url: URL, list: string): boolean {
  const { host, port } = addressOf(url)
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true
    const [, network, prefix] = /^\[?([\da-f.:]+)\]?\/(\d+)$/i.exec(entry) ?? []
    if (network !== undefined) return isInNetwork(host, network, Number(prefix))
    // An IPv6 address has brackets if a port follows, and often none otherwise.
    const isBareAddress = /^[^[].*:.*:|^::/.test(entry)
    const [, name = '', entryPort] = (isBareAddress ? /(.*)/ : /^\[?(.*?)\]?(?::(\d+))?$/).exec(entry) ?? []
    const suffix = name.replace(/^\*?\./, '').toLowerCase()
    if (!suffix || (entryPort !== undefined && Number(entryPort) !== port)) return false
    return host === suffix || host.endsWith(`.${suffix}`)
  })
}

/** Whether the host is an address in a network such as `10.0.0.0/8`. */
function isInNetwork(host: string, network: string, prefix: number): boolean {
  const net = builtin('node:net') as NodeNet
  const version = net.isIP(host)
  if (version === 0 || version !== net.isIP(network) || prefix > (version === 4 ? 32 : 128)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const list = new net.BlockList()
  list.addSubnet(network, prefix, family)
  return list.check(host, family)
}

/** Makes the agent connect through a tunnel that the proxy opens (`CONNECT`). */
export function connectTunnels(agent: NodeAgent, proxy: URL, ca: string | readonly string[] | undefined): void {
  agent.createConnection = (options, callback) => {
    openTunnel(proxy, ca, options, (error, socket) => {
      if (!socket) return callback(error)
      const tls = builtin('node:tls') as NodeTls
      callback(null, tls.connect({ ...options, socket }))
    })
    return undefined
  }
}

function openTunnel(
  proxy: URL,
  ca: string | readonly string[] | undefined,
  { host, port }: NodeConnectOptions,
  callback: (error: Error | null, socket?: NodeSocket) => void,
): void {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const request = httpFor(proxy).request({
    ...addressOf(proxy),
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...proxyAuthorization(proxy) },
    agent: false,
    ...(ca !== undefined && { ca }),
  })
  request.on('connect', ({ statusCode }, socket) => {
    if (statusCode === 200) {
      socket.setKeepAlive(true, tunnelTimeoutMs)
      callback(null, socket)
    } else {
      socket.destroy()
      callback(refusal(proxy, 'CONNECT', statusCode))
    }
  })
  request.on('socket', limitConnecting)
  request.on('error', (error) => callback(error))
  request.setTimeout(tunnelTimeoutMs, () => request.destroy(new Error(`the proxy ${proxy.host} did not respond`)))
  request.end()
}

/** The error for a request that the proxy itself refused. */
export function refusal(proxy: URL, request: string, status: number): Error {
  const error = new Error(`the proxy ${proxy.host} answered ${request} with ${status}`)
  // A proxy that refuses credentials or the host refuses them the next time too.
  return status < 500 ? Object.assign(error, { code: 'ERR_PROXY_REFUSED' }) : error
}

export function httpFor({ protocol }: URL): NodeHttp {
  return builtin(protocol === 'https:' ? 'node:https' : 'node:http') as NodeHttp
}

export function addressOf(url: URL): { host: string; port: number } {
  return { host: hostOf(url), port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) }
}

/** The host name as sockets take it: without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

/** The header with the user name and password of a proxy. None if its URL has neither. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {}
  const bytes = new TextEncoder().encode(`${decoded(username)}:${decoded(password)}`)
  return { 'proxy-authorization': `Basic ${btoa(String.fromCharCode(...bytes))}` }
}

/** A part of a URL without percent-encoding. A stray percent sign is left as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
