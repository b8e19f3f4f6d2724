import { inPieces } from 'colloquy/engines'
import { APIError, type ErrorDetails, apiError } from 'colloquy/protocol'
import type { RequestHeaders } from '../../access/request-headers.ts'
import { httpError } from '../http-error.ts'
import { type BodySource, type IncomingRequest, webBody } from './body-source.ts'
import { invalid, parseBody } from './json-body.ts'

export interface BodyOptions {
  /** Default 32 MiB. */
  maxBodyBytes?: number
  /** Default 256 MiB. */
  maxBufferedBytes?: number
  /** Default 300,000. */
  bodyTimeoutMs?: number | undefined
}

const MiB = 1024 * 1024

/** Reads the bodies of requests, within limits for each and for all together. */
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
   * @param onBytes called with the body when it has arrived, not compressed.
   */
  readJson(request: IncomingRequest, onBytes?: (bytes: Uint8Array) => void): Promise<unknown> {
    return this.read(request, (bytes) => {
      onBytes?.(bytes)
      if (bytes.length === 0) throw invalid('it is empty')
      return inPieces(parseBody(textOf(bytes)))
    })
  }

  /** As `readJson`. A body that is left out is an empty object. */
  readOptional(request: IncomingRequest): Promise<unknown> {
    return this.read(request, async (bytes) => (bytes.length === 0 ? {} : inPieces(parseBody(textOf(bytes)))))
  }

  /** A body that need not be JSON. Throws the API's 400, 408, 413 or 529. */
  readText(request: IncomingRequest): Promise<string> {
    return this.read(request, async (bytes) => new TextDecoder().decode(bytes))
  }

  /**
   * Reads a body, which is counted as one that is being read until the work on it has ended. Throws the API's 400, 408, 413 or
   * 529.
   */
  async read<T>({ headers, body, signal }: IncomingRequest, work: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    const encoding = encodingOf(headers)
    checkCharset(headers)
    // Refuse before reading a byte if the client announces the length.
    if (Number(headers.get('content-length') ?? 0) > this.#maxBytes) throw tooLarge()
    const source = encoding && body ? webBody(decompressed(body.stream(), this.#maxBytes)) : body
    const buffer = new BodyBuffer()
    try {
      if (source) await this.#collect(source, buffer, { encoding, signal })
      return await work(buffer.joined())
    } finally {
      this.#bufferedBytes -= buffer.length
    }
  }

  #collect(source: BodySource, buffer: BodyBuffer, { encoding, signal }: Collecting): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        clearTimeout(timer)
        if (error === undefined) return resolve()
        source.stop()
        reject(error)
      }
      const timer = setTimeout(() => settle(tooSlow()), this.#timeoutMs)
      source.pipe({
        write: (chunk) => {
          this.#bufferedBytes += chunk.byteLength
          buffer.push(chunk)
          if (buffer.length > this.#maxBytes) settle(encoding === undefined ? tooLarge() : tooLargeDecoded())
          else if (this.#bufferedBytes > this.#maxBufferedBytes) settle(apiError('overloaded_error', 'Overloaded'))
        },
        end: () => settle(),
        fail: (error) => settle(errorOf(error, signal, encoding)),
      })
    })
  }
}

interface Collecting {
  encoding: 'gzip' | undefined
  signal: AbortSignal
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

  /** Joined, because decoding chunk by chunk takes four times as long. */
  joined(): Uint8Array {
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

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw invalid('it is not UTF-8')
  }
}

function encodingOf(headers: RequestHeaders): 'gzip' | undefined {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity') return undefined
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip'
  throw unreadable(`content-encoding '${encoding.slice(0, 100)}' is not supported`, 'request_body_encoding_unsupported')
}

function checkCharset(headers: RequestHeaders): void {
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

function errorOf(error: unknown, signal: AbortSignal, encoding: 'gzip' | undefined): unknown {
  if (error instanceof APIError || signal.aborted) return error ?? signal.reason
  return encoding ? unreadable('it is not valid gzip', 'request_body_encoding_invalid') : unreadable('it broke off')
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
  const details = { error_code: 'request_body_timeout' }
  return httpError(408, apiError('timeout_error', 'The request body took too long', details))
}
