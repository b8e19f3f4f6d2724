import { describeValue } from '../json/option-names.ts'
import { AnthropicError } from '../types/error.ts'
import { type ImageMediaType, imageSize, maxImageBytes, maxImagePixels, mediaTypeOf } from './media.ts'
import type { CacheControlEphemeral } from '../types/tool.ts'
import type { CitationsConfigParam } from '../types/citation.ts'
import type { DocumentBlockParam, ImageBlockParam } from '../types/params.ts'

/** A URL (`https:`, `data:` or `file:`), a path, or the bytes themselves. */
export type ContentSource = string | URL | Uint8Array | ArrayBuffer | Blob

/** Options of `contentBlock()`. */
export interface ContentBlockOptions {
  /** The kind of content at a web URL. Default: by the ending of its path. */
  as?: 'image' | 'document'
  /** The title of a document. Default: the name of the file. */
  title?: string
  /** Information about a document for the model. Never cited. */
  context?: string
  citations?: CitationsConfigParam
  cache_control?: CacheControlEphemeral
}

// The API's limit for a request's body.
const maxBodyBytes = 32 * 1024 * 1024

/**
 * Makes a content block from an image or document.
 *
 * The bytes decide the type: PNG, JPEG, GIF and WebP become images, PDF and text (UTF-8, or UTF-16 with its mark) become documents. The API fetches a
 * web URL itself. Throws an `AnthropicError` for other content, for an empty file, and for content that the API would refuse:
 * an image of more than 10 MB as base64 or 8000 pixels a side, a document of more than 32 MB.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { contentBlock } from 'colloquy/protocol'
 *
 * const file = await contentBlock(new TextEncoder().encode('The lamp was lit at dusk.'), { title: 'Diary' })
 * const content = [file, { type: 'text' as const, text: 'How many words has this document?' }]
 * const client = new Anthropic()
 * await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content }] })
 * console.log(file.type) // document
 * ```
 */
export async function contentBlock(
  source: ContentSource,
  options: ContentBlockOptions = {},
): Promise<ImageBlockParam | DocumentBlockParam> {
  const url = toURL(source)
  if (url && /^https?:$/.test(url.protocol)) return fromAddress(url, options)
  const { bytes, name } = await read(source, url)
  const what = name ?? options.title ?? 'the content'
  if (bytes.length === 0) throw new AnthropicError(`Cannot send ${what}: it is empty`)
  const type = mediaTypeOf(bytes)
  if (type === undefined) {
    const data = decodeText(bytes, what)
    checkSize(what, 'a document', bytes.length, maxBodyBytes)
    return documentOf({ type: 'text', media_type: 'text/plain', data }, { title: name, ...options })
  }
  const size = Math.ceil(bytes.length / 3) * 4
  if (type === 'application/pdf') {
    checkSize(what, 'a document', size, maxBodyBytes)
    return documentOf({ type: 'base64', media_type: type, data: toBase64(bytes) }, { title: name, ...options })
  }
  checkSize(what, 'an image', size, maxImageBytes)
  checkPixels(what, bytes)
  return imageOf({ type: 'base64', media_type: type satisfies ImageMediaType, data: toBase64(bytes) }, options)
}

/** Makes an image block, as `contentBlock()` does. Throws if the content is not an image. */
export async function imageBlock(source: ContentSource, options: ContentBlockOptions = {}): Promise<ImageBlockParam> {
  const block = await contentBlock(source, { as: 'image', ...options })
  if (block.type !== 'image') throw new AnthropicError(`Cannot make an image block: found ${sourceType(block)}`)
  return block
}

/** Makes a document block, as `contentBlock()` does. Throws if the content is not a document. */
export async function documentBlock(
  source: ContentSource,
  options: ContentBlockOptions = {},
): Promise<DocumentBlockParam> {
  const block = await contentBlock(source, { as: 'document', ...options })
  if (block.type !== 'document') throw new AnthropicError(`Cannot make a document block: found ${sourceType(block)}`)
  return block
}

function sourceType({ source }: ImageBlockParam | DocumentBlockParam): string {
  return 'media_type' in source ? source.media_type : source.type
}

function fromAddress(url: URL, options: ContentBlockOptions): ImageBlockParam | DocumentBlockParam {
  const ending = /\.(?:(png|jpe?g|gif|webp)|pdf)$/i.exec(url.pathname)
  const as = options.as ?? (ending ? (ending[1] ? 'image' : 'document') : undefined)
  if (as === 'image') return imageOf({ type: 'url', url: url.href }, options)
  if (as === 'document') return documentOf({ type: 'url', url: url.href }, options)
  throw new AnthropicError(
    `Cannot tell what ${url.origin}${url.pathname} is: pass { as: 'image' } or { as: 'document' }`,
  )
}

function imageOf(source: ImageBlockParam['source'], { cache_control }: ContentBlockOptions): ImageBlockParam {
  return { type: 'image', source, ...(cache_control && { cache_control }) }
}

function documentOf(
  source: DocumentBlockParam['source'],
  {
    title,
    context,
    citations,
    cache_control,
  }: { [Key in keyof ContentBlockOptions]: ContentBlockOptions[Key] | undefined },
): DocumentBlockParam {
  return {
    type: 'document',
    source,
    ...(title && { title }),
    ...(context && { context }),
    ...(citations && { citations }),
    ...(cache_control && { cache_control }),
  }
}

function toURL(source: ContentSource): URL | undefined {
  if (source instanceof URL) return source
  // Other strings are paths, also `C:\photo.png`, whose scheme of one letter is a drive.
  if (typeof source !== 'string' || !/^(?:https?|data|file):/i.test(source)) return undefined
  try {
    return new URL(source)
  } catch (error) {
    throw new AnthropicError(`Cannot read ${source}: it is not a valid URL`, { cause: error })
  }
}

interface Content {
  bytes: Uint8Array
  /** The name of the file, if there is one. */
  name?: string | undefined
}

async function read(source: ContentSource, url: URL | undefined): Promise<Content> {
  if (url?.protocol === 'data:') return { bytes: await readData(url) }
  if (url && url.protocol !== 'file:') throw new AnthropicError(`Cannot read ${url.protocol} URLs`)
  if (typeof source === 'string' || source instanceof URL) return readFile(url ?? source)
  if (source instanceof Uint8Array) return { bytes: source }
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source) }
  if (source instanceof Blob) return { bytes: await bytesOf(source), name: (source as { name?: string }).name }
  throw new AnthropicError(
    `Cannot make a content block: found ${describeValue(source)}, not a path, URL, Blob or bytes`,
  )
}

async function readData(url: URL): Promise<Uint8Array> {
  try {
    return await bytesOf(await fetch(url))
  } catch (cause) {
    throw new AnthropicError('Cannot read the data: URL: it is damaged', { cause })
  }
}

async function bytesOf(body: { arrayBuffer(): Promise<ArrayBuffer> }): Promise<Uint8Array> {
  return new Uint8Array(await body.arrayBuffer())
}

interface FileSystem {
  stat(path: string | URL): Promise<{ size: number; isFile(): boolean }>
  readFile(path: string | URL): Promise<Uint8Array>
  open(path: string | URL): Promise<{ createReadStream(options: { end: number }): AsyncIterable<Uint8Array> }>
}

async function readFile(path: string | URL): Promise<Content> {
  // Loaded when needed: an import of node:fs would keep this module out of browsers.
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
  const files = process?.getBuiltinModule?.('node:fs/promises') as FileSystem | undefined
  const name = (path instanceof URL ? decodeURIComponent(path.pathname) : path).split(/[\\/]/).at(-1) || String(path)
  if (!files) throw new AnthropicError(`Cannot read ${name}: there is no file system here, pass its bytes or a Blob`)
  try {
    const found = await files.stat(path)
    checkSize(name, 'a file', found.size, maxBodyBytes)
    return { bytes: found.isFile() ? await files.readFile(path) : await readPipe(files, path, name), name }
  } catch (error) {
    if (error instanceof AnthropicError) throw error
    throw new AnthropicError(`Cannot read ${name}: ${(error as Error).message}`, { cause: error })
  }
}

/** Reads a pipe or a device, whose size is not known before. `/dev/zero` never ends. */
async function readPipe(files: FileSystem, path: string | URL, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  // `end` is the place of the last byte, so that one byte more than allowed is read.
  for await (const chunk of (await files.open(path)).createReadStream({ end: maxBodyBytes }))
    chunks.push(chunk as Uint8Array<ArrayBuffer>)
  const bytes = await bytesOf(new Blob(chunks))
  if (bytes.length > maxBodyBytes)
    throw new AnthropicError(`Cannot send ${name}: a file may have at most ${megabytes(maxBodyBytes)} as it is sent`)
  return bytes
}

function checkSize(what: string, kind: string, size: number, limit: number): void {
  if (size <= limit) return
  throw new AnthropicError(
    `Cannot send ${what}: ${kind} may have at most ${megabytes(limit)} as it is sent: found ${megabytes(size)}`,
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

function checkPixels(what: string, bytes: Uint8Array): void {
  const size = imageSize(bytes)
  if (!size) throw new AnthropicError(`Cannot send ${what}: its header is damaged`)
  if (size.width > maxImagePixels || size.height > maxImagePixels)
    throw new AnthropicError(
      `Cannot send ${what}: an image may have at most ${maxImagePixels} pixels a side: found ${size.width} × ${size.height}`,
    )
}

/** Common formats that the API does not accept, by their first bytes. */
const others: Array<[name: string, mark: RegExp]> = [
  ['a HEIC image', /^....ftyp(?:hei|hev|mif)/s],
  ['an AVIF image', /^....ftypavi/s],
  ['a TIFF image', /^(?:II\*\0|MM\0\*)/],
  ['a BMP image', /^BM/],
  ['a ZIP archive or office document', /^PK/],
]

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    const text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
  const start = String.fromCharCode(...bytes.subarray(0, 16))
  const found = others.find(([, mark]) => mark.test(start))?.[0] ?? 'other bytes'
  throw new AnthropicError(`Cannot send ${what}: it must be PNG, JPEG, GIF, WebP, PDF or UTF-8 text: found ${found}`)
}

/** UTF-16 if the text begins with its mark, as some programs on Windows write it. */
function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  // In pieces: a call accepts a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(binary)
}
