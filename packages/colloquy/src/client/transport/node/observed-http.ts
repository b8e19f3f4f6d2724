import { builtin } from '../runtime.ts'

/** Functions of Node that mocks and tracers replace, with a name of Node's own code that only the original contains. */
const functions = [
  ['node:http', 'request', 'ClientRequest'],
  ['node:https', 'request', 'ReflectConstruct'],
  ['node:net', 'connect', 'normalizeArgs'],
  ['node:tls', 'connect', 'normalizeConnectArgs'],
] as const

type Module = Record<string, unknown>
interface Channel {
  readonly hasSubscribers: boolean
}

let modules: Module[] | undefined
let channels: Channel[] | undefined
/** The functions that were found to be Node's own. */
const originals = new Set<unknown>()

/**
 * Whether this process watches or replaces the requests of `node:http`, as mocks of HTTP (nock, msw) and tracers do. They
 * expect every request there.
 */
export function isHttpObserved(): boolean {
  modules ??= functions.map(([id]) => builtin(id) as Module)
  channels ??= ['http.client.request.created', 'http.client.request.start'].map(channel)
  if (channels.some(({ hasSubscribers }) => hasSubscribers)) return true
  return functions.some(([, name, inside], index) => !isOriginal(modules![index]![name], inside))
}

function channel(name: string): Channel {
  return (builtin('node:diagnostics_channel') as { channel(name: string): Channel }).channel(name)
}

function isOriginal(value: unknown, inside: string): boolean {
  if (originals.has(value)) return true
  const isOwn = typeof value === 'function' && Function.prototype.toString.call(value).includes(inside)
  if (isOwn) originals.add(value)
  return isOwn
}
