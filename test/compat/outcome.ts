import type { RecordedRequest } from './recording-server.ts'

/** The observable result of a scenario. */
export interface Outcome {
  /** The returned value as JSON, with markers for values that JSON does not have. */
  returned?: unknown
  threw?: unknown
  /** True if it neither returned nor threw in time. */
  pending?: true
  requests: DescribedRequest[]
  /** The delays between attempts and the expired timeouts, in milliseconds. */
  waits: number[]
  /** Unhandled rejections, which would have ended the program. */
  unhandled: unknown[]
}

export interface DescribedRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: unknown
  abandoned?: true
}

// Headers that describe the sender and the connection rather than the request.
const beneathNotice =
  /^(host|connection|content-length|transfer-encoding|accept-encoding|accept-language|sec-fetch-mode|user-agent|x-stainless-(lang|package-version|os|arch|runtime|runtime-version))$/

export function describeRequest(request: RecordedRequest): DescribedRequest {
  const { method, path, headers, body, abandoned } = withoutBoundary(request)
  return {
    method,
    path,
    headers: Object.fromEntries(
      Object.entries(headers)
        .filter(([name]) => !beneathNotice.test(name))
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
    body: parsed(body),
    ...(abandoned ? { abandoned } : {}),
  }
}

/** A form's parts are separated by a random text. */
function withoutBoundary({ headers, body, ...request }: RecordedRequest): RecordedRequest {
  const boundary = /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1]
  if (!boundary) return { ...request, headers, body }
  const own = (text: string): string => text.replaceAll(boundary, 'boundary')
  return { ...request, headers: { ...headers, 'content-type': own(headers['content-type']!) }, body: own(body) }
}

function parsed(text: string): unknown {
  try {
    // For the API, `stream: false` equals a missing field.
    return JSON.parse(text, (key, value: unknown) => (key === 'stream' && value === false ? undefined : value))
  } catch {
    return text
  }
}

/** Converts a value into comparable JSON: errors by class and fields, responses by status and headers. */
export function describe(value: unknown, depth = 0): unknown {
  if (value === undefined) return '(undefined)'
  if (typeof value === 'function') return '(function)'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return value
  if (depth > 12) return '(deep)'
  if (Array.isArray(value)) return value.map((item) => describe(item, depth + 1))
  if (value instanceof Error) return describeError(value, depth)
  if (value instanceof Headers) return describeHeaders(value)
  if (value instanceof Response) return { status: value.status, headers: describeHeaders(value.headers) }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('latin1') }
  const { constructor } = value
  if (constructor !== Object && constructor !== undefined) return `(a ${constructor.name})`
  const fields = Object.entries(value).map(([name, field]) => [name, describe(field, depth + 1)])
  const id = (value as { _request_id?: unknown })._request_id
  return Object.fromEntries(id === undefined ? fields : [...fields, ['_request_id', id]])
}

function describeError(error: Error, depth: number): unknown {
  const described: Record<string, unknown> = {
    name: error.name,
    classes: classesOf(error).join(' < '),
    message: error.message,
  }
  for (const field of ['status', 'type', 'errorCode', 'apiMessage', 'details', 'error']) {
    if (field in error) described[field] = describe((error as unknown as Record<string, unknown>)[field], depth + 1)
  }
  // Without an id, the official client sets null for some errors and undefined for others.
  for (const field of ['requestID', 'workspaceID'] as const) {
    if (field in error) described[field] = (error as unknown as Record<string, string | null>)[field] ?? null
  }
  const { headers } = error as { headers?: unknown }
  if (headers instanceof Headers) described['headers'] = describeHeaders(headers)
  return described
}

function classesOf(error: Error): string[] {
  const classes = []
  for (let at = Object.getPrototypeOf(error); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    classes.push(at.constructor.name)
  }
  return classes
}

function describeHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => !/^(date|connection|keep-alive|transfer-encoding)$/.test(name)),
  )
}

export interface Deviation {
  at: string
  official: unknown
  ours: unknown
}

/** Returns every path at which two values differ, as deep as their shapes agree. */
export function* deviations(official: unknown, ours: unknown, at = ''): Generator<Deviation> {
  if (Object.is(official, ours)) return
  if (!isTree(official) || !isTree(ours) || Array.isArray(official) !== Array.isArray(ours)) {
    yield { at, official, ours }
    return
  }
  for (const key of new Set([...Object.keys(official), ...Object.keys(ours)])) {
    yield* deviations(official[key], ours[key], at === '' ? key : `${at}.${key}`)
  }
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Returns the value at a path of an outcome. */
export function valueAt(outcome: unknown, at: string): unknown {
  return at.split('.').reduce((value, key) => (isTree(value) ? value[key] : undefined), outcome)
}
