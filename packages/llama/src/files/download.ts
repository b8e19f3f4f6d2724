import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AnthropicError } from 'colloquy/protocol'

export interface RequestOptions {
  headers?: Record<string, string>
  /** The sentence to add when the server refuses the key, or wants one. Default: none. */
  denied?: string
  signal?: AbortSignal | undefined
  fetch?: typeof globalThis.fetch
  /** How long the server may take to answer. Milliseconds. Default 10,000. */
  answerMs?: number
}

export interface DownloadOptions extends RequestOptions {
  /** The checksum of the right file. Default: not checked. */
  sha256?: string | undefined
  /** The size of the right file. Default: not checked. */
  bytes?: number | undefined
  /** Called with the bytes so far, and with all bytes if they are known. */
  onProgress?: ((done: number, total: number | undefined) => void) | undefined
  /** How often in a row an attempt may bring hardly a byte before the download fails. Default 4. */
  retries?: number
  /** How long the server may send nothing in the middle of the file. Milliseconds. Default 15,000. */
  stallMs?: number
}

/** A hub behind a slow network or proxy takes seconds. */
const answerMsByDefault = 10_000

/** The download cannot succeed by trying again. */
export class DownloadError extends AnthropicError {
  override name = 'DownloadError'
}

/**
 * Downloads a file. The bytes that arrived are kept as `FILE.part` when the download breaks off or is aborted, and the next
 * call continues there. The file itself appears only when it is complete and has the right checksum.
 *
 * @example
 * ```ts
 * import { download } from '@colloquy/llama'
 *
 * await download('https://example.com/model.gguf', 'models/model.gguf', {
 *   onProgress: (done, total) => process.stdout.write(`\r${done} of ${total} bytes`),
 * })
 * ```
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
      failures = progress >= (options.bytes ?? usefulBytes) / 100 ? 0 : failures + 1
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

/** Whether the disk is full, in the words of the system, npm or pip. */
export function isDiskFull(text: string): boolean {
  return /\bENOSPC\b|no space left/i.test(text)
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}

/** The response of a server, if it is a success. Throws a `DownloadError` for a refusal, and if there is no answer. */
export async function answerOf(url: string, options: RequestOptions & { method?: string }): Promise<Response> {
  const watch = new Watch(options.signal, options.answerMs ?? answerMsByDefault, 'no answer')
  try {
    const response = await send(url, watch, options)
    checkAnswer(url, response, options)
    return response
  } catch (error) {
    throw explained(error, url)
  } finally {
    watch.end()
  }
}

async function fetchRest(url: string, part: string, options: DownloadOptions): Promise<void> {
  const { bytes, signal, answerMs = answerMsByDefault, stallMs = 15_000 } = options
  const have = await sizeOf(part)
  if (bytes !== undefined && have >= bytes) return
  const watch = new Watch(signal, answerMs, 'no answer')
  try {
    // Encoded bytes would not be those of the file.
    const range = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) }
    const response = await send(url, watch, { ...options, headers: { ...options.headers, ...range } })
    if (response.status === 416) return await checkEnd(response, part, have, bytes)
    checkAnswer(url, response, options)
    watch.expect(stallMs, 'nothing came')
    await write(response, part, have, options, watch)
  } finally {
    watch.end()
  }
}

/** The server has no bytes behind the part: it is complete, or of another file and has to begin again. */
async function checkEnd(response: Response, part: string, have: number, bytes: number | undefined): Promise<void> {
  const [, found] = /^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? []
  const size = bytes ?? Number(found ?? have)
  if (size === have) return
  await rm(part, { force: true })
  throw new Error(`the server did not continue at byte ${have} of ${size}`)
}

async function write(
  response: Response,
  part: string,
  have: number,
  options: DownloadOptions,
  watch: Watch,
): Promise<void> {
  const start = continuesAt(response, have) ? have : 0
  const length = Number(response.headers.get('content-length')) || undefined
  const total = options.bytes ?? (length === undefined ? undefined : start + length)
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
  const file = createWriteStream(part, { flags: start > 0 ? 'a' : 'w' })
  const counted = (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> =>
    count(chunks, { ...options, start, total }, watch)
  await pipeline(body, counted, file, { signal: watch.signal }).catch(async (error: unknown) => {
    if (error instanceof DownloadError) await rm(part, { force: true })
    throw watch.reason ?? error
  })
  const done = await sizeOf(part)
  if (total !== undefined && done < total) throw new Error(`${done} of ${total} bytes arrived`)
}

/** Whether the response begins at the byte that was asked for. Some servers answer with another range, or with all bytes. */
function continuesAt({ status, headers }: Response, have: number): boolean {
  if (status !== 206) return false
  const [, start] = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '') ?? []
  if (start === undefined || Number(start) === have) return true
  throw new Error(`the server continued at byte ${start} instead of ${have}`)
}

/** Passes the chunks on and tells the progress. Throws once there are more bytes than the file should have. */
async function* count(
  chunks: AsyncIterable<Uint8Array>,
  { start, total, bytes, onProgress }: DownloadOptions & { start: number; total: number | undefined },
  watch: Watch,
): AsyncGenerator<Uint8Array> {
  let done = start
  for await (const chunk of chunks) {
    watch.touch()
    done += chunk.length
    if (bytes !== undefined && done > bytes)
      throw new DownloadError(`Cannot use the file: it is longer than ${bytes} bytes.`)
    onProgress?.(done, total)
    yield chunk
  }
}

async function send(
  url: string,
  watch: Watch,
  { headers = {}, fetch = globalThis.fetch, method = 'GET' }: RequestOptions & { method?: string },
): Promise<Response> {
  try {
    return await fetch(url, { method, headers, signal: watch.signal })
  } catch (error) {
    throw watch.reason ?? error
  }
}

/** Aborts a request for the caller, or when nothing happened for too long. */
class Watch {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #abort = (): void => this.#controller.abort(this.#outer?.reason)
  #timer: ReturnType<typeof setTimeout>
  /** The error if nothing happened for too long. */
  reason: Error | undefined

  constructor(outer: AbortSignal | undefined, ms: number, found: string) {
    this.#outer = outer
    if (outer?.aborted) this.#abort()
    outer?.addEventListener('abort', this.#abort, { once: true })
    this.#timer = this.#start(ms, found)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something happened: the time begins again. */
  touch(): void {
    this.#timer.refresh()
  }

  /** Watches for something else from now on. */
  expect(ms: number, found: string): void {
    clearTimeout(this.#timer)
    this.#timer = this.#start(ms, found)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#abort)
  }

  #start(ms: number, found: string): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.reason = new Error(`${found} within ${ms} ms`)
      this.#controller.abort(this.reason)
    }, ms)
  }
}

/** Throws for a refusal, and for a page: proxies and networks that want a sign-in send one with status 200. */
function checkAnswer(url: string, { ok, status, headers }: Response, { denied }: RequestOptions): void {
  if (!ok) {
    const advice = denied !== undefined && (status === 401 || status === 403) ? ` ${denied}` : ''
    const message = `Cannot fetch ${url}: the server answered with status ${status}.${advice}`
    throw status >= 500 || status === 429 || status === 408 ? new AnthropicError(message) : new DownloadError(message)
  }
  if (!/^text\/html\b/i.test(headers.get('content-type') ?? '')) return
  throw new DownloadError(
    `Cannot fetch ${url}: the server answered with a page, as a proxy does or a network that wants a sign-in.`,
  )
}

function explained(error: unknown, url: string): unknown {
  if (error instanceof AnthropicError || (error as Error).name === 'AbortError') return error
  const { message, cause } = error as Error
  const { code, message: reason } = (cause ?? {}) as { code?: unknown; message?: string }
  // The cause of a refusing proxy has a number.
  const found = typeof code === 'string' ? code : (reason ?? message)
  return new AnthropicError(`Cannot fetch ${url}: ${found}`, { cause: error as Error })
}

export async function sizeOf(path: string): Promise<number> {
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
