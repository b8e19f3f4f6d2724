import { builtin } from '../../runtime.ts'
import { diagnosticsChannel, type DiagnosticsChannel } from './diagnostics-channel.ts'

/** Functions of Node that mocks and tracers replace, with a name of Node's own code that only the original contains. */
const functions = [
  ['node:http', 'request', 'ClientRequest'],
  ['node:https', 'request', 'ReflectConstruct'],
  ['node:net', 'connect', 'normalizeArgs'],
  ['node:tls', 'connect', 'normalizeConnectArgs'],
] as const

/** The events of `node:http` for tracers. Loggers of responses subscribe to the last two alone. */
const events = ['request.created', 'request.start', 'request.error', 'response.finish']

type Module = Record<string, unknown>

interface Watched {
  module: Module
  name: string
  /** The function, once it was found to be Node's own. */
  original?: unknown
  inside: string
}

let watched: Watched[] | undefined
let channels: DiagnosticsChannel[] | undefined

/**
 * Whether this process watches or replaces the requests of `node:http`, as mocks of HTTP (nock, msw) and tracers do. They
 * expect every request there.
 */
export function isHttpObserved(): boolean {
  watched ??= functions.map(([id, name, inside]) => ({ module: builtin(id) as Module, name, inside }))
  channels ??= events.map((event) => diagnosticsChannel(`http.client.${event}`))
  for (const { hasSubscribers } of channels) if (hasSubscribers) return true
  for (const one of watched) if (!isOriginal(one)) return true
  return false
}

function isOriginal(watched: Watched): boolean {
  const { module, name, original, inside } = watched
  const value = module[name]
  if (value === original) return true
  const isOwn = typeof value === 'function' && Function.prototype.toString.call(value).includes(inside)
  if (isOwn) watched.original = value
  return isOwn
}
