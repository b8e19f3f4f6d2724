// Loaded when a body is not sent as JSON, or a file is made for one.
import { describeValue } from '../../../protocol/json/option-names.ts'
import { isUploadable, makeFile } from './to-file.ts'

export { makeFile }

/** A body as it is sent, with the media type that belongs to it. */
export interface EncodedBody {
  bytes: Uint8Array
  /** `content-type`, if the body has one. */
  headers: Record<string, string>
  /** Whether the caller gave a stream, so that a `fetch` receives one too. */
  isStream: boolean
}

type BodyOfResponse = ConstructorParameters<typeof Response>[0]

/** Reads a form, a `Blob`, a stream or another body of the web to its end, so that each attempt can send it. */
export async function encodeWebBody(body: unknown): Promise<EncodedBody> {
  const value = typeof body === 'function' ? await (body as () => unknown)() : body
  const pieces = iteratorOf(value)
  const encoded = new Response((pieces ? await joined(pieces) : value) as BodyOfResponse)
  const bytes = new Uint8Array(await encoded.arrayBuffer())
  // A `Blob` without a type has an empty one.
  const contentType = encoded.headers.get('content-type')
  const headers: Record<string, string> = contentType ? { 'content-type': contentType } : {}
  return { bytes, headers, isStream: pieces !== undefined || value instanceof ReadableStream }
}

/** An iterator over the pieces of a body that is one, or that makes one. */
function iteratorOf(value: unknown): AsyncIterator<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Symbol.asyncIterator in value) return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  return 'next' in value ? (value as AsyncIterator<unknown>) : undefined
}

async function joined(pieces: AsyncIterator<unknown>): Promise<Blob> {
  const parts: unknown[] = []
  for await (const piece of { [Symbol.asyncIterator]: () => pieces }) parts.push(piece)
  return new Blob(parts as ConstructorParameters<typeof Blob>[0])
}

/** A multipart form of the fields: a list as `name[]`, an object as `name[key]`. Undefined values are left out. */
export async function formOf(fields: Record<string, unknown>): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) await appendField(form, name, await value)
  return form
}

/** No server reads a longer one. */
const maxNameLength = 1_000

async function appendField(form: FormData, name: string, value: unknown): Promise<void> {
  if (name.length > maxNameLength) {
    throw new TypeError(`Cannot send ${name.slice(0, 40)}… in a form: it is nested too deep`)
  }
  if (value === undefined) return
  if (isUploadable(value)) form.append(name, await makeFile(value, null, {}, ''))
  else if (['string', 'number', 'boolean'].includes(typeof value)) form.append(name, String(value))
  else if (Array.isArray(value)) for (const item of value) await appendField(form, `${name}[]`, await item)
  else if (isPlainObject(value))
    for (const [key, item] of Object.entries(value)) await appendField(form, `${name}[${key}]`, await item)
  // The class that the official client throws.
  else throw new TypeError(`Cannot send ${name} in a form: ${adviceFor(value)}`)
}

function isPlainObject(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function adviceFor(value: unknown): string {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `bytes have no name, so make a file of them with toFile(bytes, 'name')`
  }
  return `expected a file, text, a number or a boolean: found ${describeValue(value)}`
}
