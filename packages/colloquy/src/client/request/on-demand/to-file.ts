// Loaded with the first upload.
import { AnthropicError } from '../../../protocol/types/error.ts'

/** Bytes or text that `toFile()` makes a file of. */
export type ToFileInput =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | BlobLike
  | ResponseLike
  | AsyncIterable<string | ArrayBuffer | ArrayBufferView | BlobLike>

/** A `Blob` or `File` of any implementation. */
export interface BlobLike {
  readonly size: number
  readonly type: string
  arrayBuffer(): Promise<ArrayBuffer>
}

/** A `Response` of any implementation. */
export interface ResponseLike {
  readonly url: string
  blob(): Promise<BlobLike>
}

/** A value that can be uploaded as it is, because it says its name: a file, a response, or a stream of a file. */
export type Uploadable = BlobLike | ResponseLike | AsyncIterable<Uint8Array | string>

/** Options of `toFile()`. */
export interface ToFileOptions {
  /** The media type. Default: the one that the value states. */
  type?: string
  /** In milliseconds since 1970. Default: now, or that of the file. */
  lastModified?: number
}

/**
 * Makes a `File` of bytes, text, a `Blob`, a `Response` or a stream, which is read to its end. The name defaults to the
 * last part of the value's own `name`, `url`, `filename` or `path`, or else to
 * `defaultName`.
 */
export async function makeFile(
  value: ToFileInput | PromiseLike<ToFileInput>,
  name?: string | null,
  options: ToFileOptions = {},
  defaultName: string = 'unknown_file',
): Promise<File> {
  if (name != null && typeof name !== 'string') throw new AnthropicError('Cannot name a file as its name must be text')
  const given = await value
  if (given instanceof File && !name && Object.keys(options).length === 0) return given
  const content = isResponse(given) ? await given.blob() : given
  const parts = await partsOf(content)
  const { lastModified } = given as { lastModified?: unknown }
  const own = {
    ...(isBlob(content) && content.type !== '' && { type: content.type }),
    ...(typeof lastModified === 'number' && { lastModified }),
  }
  return new File(parts, name || nameOf(given) || defaultName, { ...own, ...options })
}

type FilePart = string | Uint8Array<ArrayBuffer> | Blob

/** The last part of the name that a value states; empty if it states none, or has an empty one. */
function nameOf(value: ToFileInput): string {
  if (typeof value !== 'object') return ''
  const fields = value as unknown as Record<string, unknown>
  const stated = ['name', 'url', 'filename', 'path'].map((field) => fields[field]).find(Boolean)
  return typeof stated === 'string' || stated instanceof URL ? String(stated).split(/[\\/]/).at(-1)! : ''
}

async function partsOf(value: unknown): Promise<FilePart[]> {
  if (typeof value === 'string') return [value]
  if (value instanceof ArrayBuffer) return [new Uint8Array(value)]
  // A copy, because the view may be of shared memory.
  if (ArrayBuffer.isView(value))
    return [new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))]
  if (isBlob(value)) return [value instanceof Blob ? value : new Uint8Array(await value.arrayBuffer())]
  if (!isAsyncIterable(value)) throw new AnthropicError(`Unexpected data type: ${describe(value)}`)
  const parts: FilePart[] = []
  for await (const chunk of value) parts.push(...(await partsOf(chunk)))
  return parts
}

/** The type of a value, its class and the names of its fields, but not their values. */
function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const names = Object.getOwnPropertyNames(value).map((name) => JSON.stringify(name))
  return `object; constructor: ${value.constructor?.name ?? 'none'}; props: [${names.join(', ')}]`
}

function isBlob(value: unknown): value is BlobLike {
  const { size, type, arrayBuffer } = (value ?? {}) as Partial<Record<keyof BlobLike, unknown>>
  return typeof size === 'number' && typeof type === 'string' && typeof arrayBuffer === 'function'
}

function isResponse(value: unknown): value is ResponseLike {
  const { url, blob } = (value ?? {}) as Partial<Record<keyof ResponseLike, unknown>>
  return typeof url === 'string' && typeof blob === 'function'
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Whether a value is a file, or can be read as one. */
export function isUploadable(value: unknown): value is Uploadable {
  return isBlob(value) || isResponse(value) || isAsyncIterable(value)
}
