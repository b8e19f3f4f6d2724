import type { NodeAgent, NodeConnectOptions, NodeHttp, NodeSocket, NodeTls } from './node.ts'
import { builtin, environment } from './runtime.ts'

const tunnelTimeoutMs = 10_000

/**
 * The proxy for a URL: the option, or else `https_proxy` or `http_proxy` in lower or upper case. The variables do not apply to
 * loopback hosts and to those in `no_proxy`.
 */
export function proxyFor(url: URL, option: string | false | undefined): URL | undefined {
  if (option === false) return undefined
  if (option !== undefined) return new URL(option)
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const proxy = environment(name) ?? environment(name.toUpperCase())
  if (!proxy || isLoopback(hostOf(url))) return undefined
  if (isExempt(url, environment('no_proxy') ?? environment('NO_PROXY') ?? '')) return undefined
  return new URL(proxy.includes('://') ? proxy : `http://${proxy}`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || host.startsWith('127.')
}

/** Whether `NO_PROXY` lists the host or a parent domain of it, with or without a port. `*` lists every host. */
function isExempt(url: URL, list: string): boolean {
  const host = hostOf(url)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true
    const [, name = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
    const suffix = name.replace(/^\*?\./, '').toLowerCase()
    if (!suffix || (entryPort !== undefined && entryPort !== port)) return false
    return host === suffix || host.endsWith(`.${suffix}`)
  })
}

/** Makes the agent connect through a tunnel that the proxy opens (`CONNECT`). */
export function connectTunnels(agent: NodeAgent, proxy: URL): void {
  agent.createConnection = (options, callback) => {
    openTunnel(proxy, options, (error, socket) => {
      if (!socket) return callback(error)
      const tls = builtin('node:tls') as NodeTls
      callback(null, tls.connect({ ...options, socket }))
    })
    return undefined
  }
}

function openTunnel(
  proxy: URL,
  { host, port }: NodeConnectOptions,
  callback: (error: Error | null, socket?: NodeSocket) => void,
): void {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const secure = proxy.protocol === 'https:'
  const request = (builtin(secure ? 'node:https' : 'node:http') as NodeHttp).request({
    host: hostOf(proxy),
    port: proxy.port || (secure ? 443 : 80),
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...(proxy.username && { 'proxy-authorization': basicAuthorization(proxy) }) },
    agent: false,
  })
  request.on('connect', ({ statusCode }, socket) => {
    if (statusCode === 200) {
      socket.setKeepAlive(true, tunnelTimeoutMs)
      callback(null, socket)
    } else {
      socket.destroy()
      callback(new Error(`the proxy ${proxy.host} answered CONNECT with ${statusCode}`))
    }
  })
  request.on('error', (error) => callback(error))
  request.setTimeout(tunnelTimeoutMs, () => request.destroy(new Error(`the proxy ${proxy.host} did not answer`)))
  request.end()
}

/** The host name as sockets take it: without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

export function basicAuthorization({ username, password }: URL): string {
  return `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`
}
