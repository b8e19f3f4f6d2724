import type { ModelEntry } from 'colloquy/protocol'
import type { RequestHeaders } from '../access/request-headers.ts'
import { type AccessEntry, RequestLog, type UnrecordedRequest } from './request-log.ts'

/** Follows the requests of a server, such as for metrics or traces. Its functions must be quick, and must not throw. */
export interface RequestObserver {
  /** Called when a request begins. */
  begin(request: { method: string; path: string; headers: RequestHeaders }): ObservedRequest
}

/** A request that is followed. */
export interface ObservedRequest {
  /** Runs the work of the request, such as inside the context of a trace. Default: the work alone. */
  run?: <Result>(work: () => Result) => Result
  /** Called once, when the response has ended. */
  end(entry: AccessEntry): void
}

/** Metrics that a server answers to `GET /metrics`. */
export interface Metrics extends RequestObserver {
  readonly contentType: string
  /** The metrics in the text format of Prometheus. */
  text(): Promise<string>
}

/** The beginning of a request: what its log and its observers know of it. */
interface StartedRequest {
  method: string
  path: string
  headers: RequestHeaders
}

/** A request that has begun: its log, and a function that runs its work as its observers want it. */
interface BegunRequest {
  log: RequestLog
  run: <Result>(work: () => Result) => Result
}

/** The options of a server that follow its requests. */
interface Followers {
  /** Records the requests that end before they pass to the limits of their key. */
  access?: { refused(entry: AccessEntry, request: UnrecordedRequest): void }
  metrics?: Metrics
  observers?: readonly RequestObserver[]
  models?: readonly ModelEntry[]
  log?: (entry: AccessEntry) => void
}

/** Returns a function that begins the log of a request and tells the observers. */
export function requestBeginner(
  { access, metrics, observers = [], models, log: write }: Followers,
  now: () => number,
): (request: StartedRequest) => BegunRequest {
  const all = metrics ? [metrics, ...observers] : observers
  const onUnrecorded =
    access && ((entry: AccessEntry, request: UnrecordedRequest): void => access.refused(entry, request))
  const options = { now, write, models, onUnrecorded }
  if (all.length === 0) return (request) => ({ log: new RequestLog(request, options), run: (work) => work() })
  return (request) => {
    const observed = all.map((observer) => observer.begin(request))
    const end = (entry: AccessEntry): void => {
      write?.(entry)
      for (const each of observed) each.end(entry)
    }
    const log = new RequestLog(request, { ...options, write: end })
    return { log, run: (work) => observed.reduce((inner, { run }) => (run ? () => run(inner) : inner), work)() }
  }
}
