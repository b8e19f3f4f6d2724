import { apiError, parseJson } from 'colloquy/protocol'

/** Reads a request's JSON body, at most `maxBytes` of it. Throws the API's 400 or 413. */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity') {
    const message = `Cannot read the request body: content-encoding '${encoding}' is not supported`
    throw apiError('invalid_request_error', message, { error_code: 'request_body_encoding_unsupported' })
  }
  // Refuse before reading a byte if the client announces the length.
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  const bytes = await readBytes(request, maxBytes)
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw apiError('invalid_request_error', `The request body is not valid JSON: ${describeJsonError(error, bytes)}`)
  }
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : concatenate(chunks, length)
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

function tooLarge(): Error {
  return apiError('request_too_large', 'Request exceeds the maximum size')
}

// The parser's message may quote the body, which may hold secrets: only the position is used.
function describeJsonError(error: unknown, bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return 'it is empty'
  if (error instanceof TypeError) return 'it is not UTF-8'
  const place =
    error instanceof Error ? /at position \d+( \(line \d+ column \d+\))?/.exec(error.message)?.[0] : undefined
  return place ? `unexpected character ${place}` : 'it ends too early'
}
