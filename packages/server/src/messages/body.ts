import { inPieces } from 'colloquy/engines'
import { APIError, type ErrorBody, type ErrorDetails, apiError } from 'colloquy/protocol'
import { invalid, parseBody } from './json-body.ts'

export interface BodyOptions {
  /** Default 32 MiB. */
  maxBodyBytes?: number
  /** Default 256 MiB. */
  maxBufferedBytes?: number
  /** Default 300,000. */
  bodyTimeoutMs?: number
}

const MiB = 1024 * 1024

/** Reads the JSON bodies of requests, within limits for each and for all together. */
export class BodyReader {
  readonly #maxBytes: number
  readonly #maxBufferedBytes: number
  readonly #timeoutMs: number
  /** The bytes of all bodies that are being read or parsed. */
  #bufferedBytes = 0

  constructor({ maxBodyBytes = 32 * MiB, maxBufferedBytes = 256 * MiB, bodyTimeoutMs = 300_000 }: BodyOptions) {
    this.#maxBytes = maxBodyBytes
    this.#maxBufferedBytes = maxBufferedBytes
    this.#timeoutMs = bodyTimeoutMs
  }

  /**
   * Throws the API's 400, 408, 413 or 529.
   *
   * @param onLength called with the bytes of the body when it has arrived.
   */
  async readJson(request: Request, onLength?: (bytes: number) => void): Promise<unknown> {
    const encoding = encodingOf(request.headers)
    checkCharset(request.headers)
    // Refuse before reading a byte if the client announces the length.
    if (Number(request.headers.get('content-length') ?? 0) > this.#maxBytes) throw tooLarge()
    const buffer = new BodyBuffer()
    try {
      for await (const chunk of this.#chunks(request, encoding)) {
        this.#bufferedBytes += chunk.byteLength
        buffer.push(chunk)
        if (buffer.length > this.#maxBytes) throw encoding === undefined ? tooLarge() : tooLargeDecoded()
        if (this.#bufferedBytes > this.#maxBufferedBytes) throw apiError('overloaded_error', 'Overloaded')
      }
      onLength?.(buffer.length)
      if (buffer.length === 0) throw invalid('it is empty')
      return await inPieces(parseBody(buffer.text()))
    } finally {
      this.#bufferedBytes -= buffer.length
    }
  }

  async *#chunks(request: Request, encoding: 'gzip' | undefined): AsyncGenerator<Uint8Array> {
    if (!request.body) return
    const reader = (encoding ? decompressed(request.body, this.#maxBytes) : request.body).getReader()
    const { promise: timeout, reject } = Promise.withResolvers<never>()
    timeout.catch(() => {})
    const timer = setTimeout(() => reject(tooSlow()), this.#timeoutMs)
    let isDone = false
    try {
      for (;;) {
        const next = await Promise.race([
          reader.read().catch((error) => throwUnreadable(error, request, encoding)),
          timeout,
        ])
        isDone = next.done
        if (next.done) return
        yield next.value
      }
    } finally {
      clearTimeout(timer)
      // Not awaited: a body that stalls may never answer.
      if (!isDone) reader.cancel().catch(() => {})
    }
  }
}

class BodyBuffer {
  readonly #chunks: Uint8Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#length += chunk.byteLength
  }

  text(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes())
    } catch {
      throw invalid('it is not UTF-8')
    }
  }

  /** Joined, because decoding chunk by chunk takes four times as long. */
  #bytes(): Uint8Array {
    const [first] = this.#chunks
    if (first && this.#chunks.length === 1) return first
    const bytes = new Uint8Array(this.#length)
    let at = 0
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at)
      at += chunk.byteLength
    }
    return bytes
  }
}

function encodingOf(headers: Headers): 'gzip' | undefined {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity') return undefined
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip'
  throw unreadable(`content-encoding '${encoding.slice(0, 100)}' is not supported`, 'request_body_encoding_unsupported')
}

function checkCharset(headers: Headers): void {
  const charset = /;\s*charset="?([^\s";]+)/i.exec(headers.get('content-type') ?? '')?.[1]
  if (charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset)) return
  throw unreadable(`charset '${charset.slice(0, 100)}' is not supported`, 'unsupported_charset')
}

/** Decompresses a body that is itself within the limit. */
function decompressed(body: ReadableStream<Uint8Array>, maxBytes: number): ReadableStream<Uint8Array> {
  let length = 0
  const limit = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      length += chunk.byteLength
      if (length > maxBytes) controller.error(tooLarge())
      else controller.enqueue(new Uint8Array(chunk))
    },
  })
  return body.pipeThrough(limit).pipeThrough(new DecompressionStream('gzip'))
}

function throwUnreadable(error: unknown, { signal }: Request, encoding: 'gzip' | undefined): never {
  if (error instanceof APIError || signal.aborted) throw error
  throw encoding ? unreadable('it is not valid gzip', 'request_body_encoding_invalid') : unreadable('it broke off')
}

function unreadable(problem: string, error_code?: string): Error {
  return apiError(
    'invalid_request_error',
    `Cannot read the request body: ${problem}`,
    error_code ? { error_code } : undefined,
  )
}

function tooLarge(details?: ErrorDetails): Error {
  return apiError('request_too_large', 'Request exceeds the maximum size', details)
}

function tooLargeDecoded(): Error {
  return tooLarge({ error_code: 'request_body_too_large_after_decoding' })
}

function tooSlow(): Error {
  const error: ErrorBody['error'] = {
    type: 'timeout_error',
    message: 'The request body took too long',
    details: { error_code: 'request_body_timeout' },
  }
  return APIError.generate(408, { type: 'error', error } satisfies ErrorBody, undefined, undefined)
}
