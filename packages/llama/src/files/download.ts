import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AnthropicError } from 'colloquy/protocol'

export interface DownloadOptions {
  /** The checksum of the right file. Default: not checked. */
  sha256?: string | undefined
  /** The size of the right file. Default: not checked. */
  bytes?: number | undefined
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
  /** Called with the bytes so far, and with all bytes if they are known. */
  onProgress?: ((done: number, total: number | undefined) => void) | undefined
  fetch?: typeof globalThis.fetch
  /** How often in a row a download may break off with hardly a byte. Default 4. */
  retries?: number
  /** How long the server may take to answer. Milliseconds. Default 3,000. */
  answerMs?: number
}

/** The download cannot succeed by trying again. */
export class DownloadError extends AnthropicError {
  override name = 'DownloadError'
}

/**
 * Downloads a file. The bytes that arrived are kept as `FILE.part` when the download breaks off or is aborted, and the next
 * call continues there. The file itself appears only when it is complete and has the right checksum.
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const { retries = 4, signal } = options
  const part = `${path}.part`
  await mkdir(dirname(path), { recursive: true })
  for (let failures = 0; ;) {
    const before = await sizeOf(part)
    try {
      await fetchRest(url, part, options)
      await checkFile(part, options)
      return await rename(part, path)
    } catch (error) {
      const progress = (await sizeOf(part)) - before
      failures = progress >= (options.bytes ?? usefulBytes) / 100 ? 1 : failures + 1
      if (signal?.aborted || error instanceof DownloadError || failures > retries) throw explained(error, url)
      await new Promise((resolve) => setTimeout(resolve, 125 * 2 ** failures))
    }
  }
}

/** An attempt that brings a hundredth of the file, or of this many bytes, does not count as a failure in a row. */
const usefulBytes = 10_000_000

/** Checks a file against its size and checksum, and removes it if it is another one. */
export async function checkFile(
  path: string,
  { sha256, bytes }: Pick<DownloadOptions, 'sha256' | 'bytes'>,
): Promise<void> {
  const size = await sizeOf(path)
  if (bytes !== undefined && size < bytes) throw new Error(`${size} of ${bytes} bytes arrived`)
  if ((bytes === undefined || size === bytes) && (sha256 === undefined || (await hashOf(path)) === sha256)) return
  await rm(path, { force: true })
  throw new DownloadError(
    `Cannot use ${basename(path, '.part')}: it is not the file that it should be, and was removed.`,
  )
}

/** Throws if the disk has no room for so many bytes. */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= bytes) return
  throw new DownloadError(`Cannot fetch ${megabytes(bytes)} into ${folder}: ${megabytes(bavail * bsize)} are free.`)
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}

async function fetchRest(url: string, part: string, options: DownloadOptions): Promise<void> {
  const { bytes, signal } = options
  const have = await sizeOf(part)
  if (bytes !== undefined && have >= bytes) return
  const response = await answer(url, have, options)
  // All bytes are there already.
  if (response.status === 416) return
  if (!response.ok) throw refusal(url, response.status)
  const start = response.status === 206 ? have : 0
  const length = Number(response.headers.get('content-length')) || undefined
  const total = bytes ?? (length === undefined ? undefined : start + length)
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
  const file = createWriteStream(part, { flags: start > 0 ? 'a' : 'w' })
  const counted = (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> =>
    count(chunks, { ...options, start, total })
  await pipeline(body, counted, file, signal ? { signal } : {})
  const done = await sizeOf(part)
  if (total !== undefined && done < total) throw new Error(`${done} of ${total} bytes arrived`)
}

/** Passes the chunks on and tells the progress. Throws once there are more bytes than the file should have. */
async function* count(
  chunks: AsyncIterable<Uint8Array>,
  { start, total, bytes, onProgress }: DownloadOptions & { start: number; total: number | undefined },
): AsyncGenerator<Uint8Array> {
  let done = start
  for await (const chunk of chunks) {
    done += chunk.length
    if (bytes !== undefined && done > bytes)
      throw new DownloadError(`Cannot use the file: it is longer than ${bytes} bytes.`)
    onProgress?.(done, total)
    yield chunk
  }
}

/** The response of the server, which must begin within `answerMs`. */
async function answer(url: string, have: number, options: DownloadOptions): Promise<Response> {
  const { headers, signal, fetch = globalThis.fetch, answerMs = 3_000 } = options
  const controller = new AbortController()
  const abort = (): void => controller.abort(signal?.reason)
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${answerMs} ms`)), answerMs)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {}
    return await fetch(url, { headers: { ...headers, ...range }, signal: controller.signal })
  } finally {
    clearTimeout(timer)
  }
}

function refusal(url: string, status: number): Error {
  const message = `Cannot fetch ${url}: the server answered with status ${status}.`
  return status >= 500 || status === 429 || status === 408 ? new Error(message) : new DownloadError(message)
}

function explained(error: unknown, url: string): unknown {
  if (error instanceof AnthropicError || (error as Error).name === 'AbortError') return error
  const { message, cause } = error as Error
  const found = (cause as { code?: string } | undefined)?.code ?? message
  return new AnthropicError(`Cannot fetch ${url}: ${found}`, { cause: error as Error })
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
