import { diagnosticsChannel, type DiagnosticsChannel } from './diagnostics-channel.ts'

interface Dispatcher {
  dispatch?: unknown
}

type Fetch = ((...parameters: never[]) => unknown) & {
  /** The function that Next.js has put its own around, for its cache of GET requests. */
  _nextOriginalFetch?: unknown
}

const runtime = globalThis as { fetch?: Fetch | undefined } & Record<symbol, Dispatcher | undefined>

/** The places in which undici, the client below Node's `fetch`, and the package of that name keep their dispatcher. */
const dispatchers = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]
/** Dispatchers that do what the client does itself. */
const plainDispatchers = new Set(['Agent', 'Dispatcher1Wrapper', 'EnvHttpProxyAgent'])

/** The last `fetch` that was found to be the runtime's own. Its text is long to read for each request. */
let original: unknown

/** Whether the program has put a function of its own in the place of `fetch`, or a dispatcher below it, as mocks do. */
export function isFetchReplaced(): boolean {
  const { fetch } = runtime
  return (typeof fetch === 'function' && fetch !== original && !isOriginal(fetch)) || dispatchers.some(isReplaced)
}

let channel: DiagnosticsChannel | undefined

/** Whether tracers watch the requests of `fetch`. */
export function isFetchWatched(): boolean {
  return (channel ??= diagnosticsChannel('undici:request:create')).hasSubscribers
}

function isOriginal(fetch: Fetch): boolean {
  const { _nextOriginalFetch: inner = fetch } = fetch
  const text = typeof inner === 'function' ? Function.prototype.toString.call(inner) : ''
  // The `fetch` of Node, or of a window of Electron. A bound function has native code too, and no name.
  const isOwn = text.includes('undici/undici') || /^function fetch\(\) \{\s*\[native code\]/.test(text)
  if (isOwn) original = fetch
  return isOwn
}

function isReplaced(place: symbol): boolean {
  const dispatcher = runtime[place]
  if (dispatcher === undefined) return false
  const { name, prototype } = dispatcher.constructor as { name: string; prototype: Dispatcher }
  // `compose()` gives the same class another `dispatch`.
  return !plainDispatchers.has(name) || dispatcher.dispatch !== prototype.dispatch || hasOwnConnections(dispatcher)
}

/** The last dispatcher without connections of its own. Its symbols take long to read for each request. */
let ordinary: Dispatcher | undefined

/** Whether an `Agent` connects as the program says, such as with certificates of its own. */
function hasOwnConnections(dispatcher: Dispatcher): boolean {
  if (dispatcher === ordinary) return false
  const key = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === 'options')
  const options = key === undefined ? undefined : (dispatcher as Record<symbol, { connect?: unknown }>)[key]
  if (options?.connect !== undefined) return true
  ordinary = dispatcher
  return false
}
