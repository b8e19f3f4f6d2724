/** A field of a form. */
export interface FormField {
  name: string
  /** Undefined if the field is a text. */
  fileName: string | undefined
  mediaType: string
  bytes: Uint8Array
}

const mostFields = 1_000
/** The bytes that are searched in a step. */
const stepBytes = 16_384

/**
 * Reads the fields of a form (RFC 7578) in steps, without copying their bytes. Throws a `FormError` if it is not one. The parser
 * of `Response.formData()` differs between runtimes, and Node's refuses boundaries of fewer than 27 characters.
 */
export function* readForm(body: Uint8Array, boundary: string): Generator<void, FormField[]> {
  const fields: FormField[] = []
  const delimiter = encoder.encode(`\r\n--${boundary}`)
  // The first delimiter may be the beginning of the body. The form does not include text before it.
  let at = startsWith(body, delimiter.subarray(2), 0) ? delimiter.length - 2 : yield* endOf(body, delimiter, 0)
  while (!startsWith(body, dashes, at)) {
    const head = yield* endOf(body, line, at)
    if (body.subarray(at, head - 2).some((byte) => byte !== space && byte !== tab)) throw new FormError()
    // A part without headers begins with its empty line.
    const content = yield* endOf(body, emptyLine, head - 2)
    const next = yield* endOf(body, delimiter, content - 2)
    const end = Math.max(content, next - delimiter.length)
    if (fields.length === mostFields) throw new FormError()
    fields.push({ ...readHead(decoder.decode(body.subarray(head, content))), bytes: body.subarray(content, end) })
    at = next
  }
  return fields
}

/** A body is not a form. */
export class FormError extends Error {
  override name = 'FormError'
  /** Whether the name of a file is written in a wrong way. */
  readonly isOfName: boolean

  constructor({ isOfName = false }: { isOfName?: boolean } = {}) {
    super('The body is not a form')
    this.isOfName = isOfName
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const line = encoder.encode('\r\n')
const emptyLine = encoder.encode('\r\n\r\n')
const dashes = encoder.encode('--')
const space = 0x20
const tab = 0x09

function readHead(head: string): Omit<FormField, 'bytes'> {
  const headers = new Map<string, string>()
  for (const text of head.split('\r\n')) {
    const colon = text.indexOf(':')
    if (colon > 0) headers.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim())
  }
  const parameters = readParameters(headers.get('content-disposition') ?? '')
  const name = parameters.get('name')
  if (name === undefined) throw new FormError()
  const extended = /^utf-8'[^']*'(.*)$/i.exec(parameters.get('filename*') ?? '')?.[1]
  const fileName = extended === undefined ? parameters.get('filename') : percentDecoded(extended)
  return { name, fileName, mediaType: headers.get('content-type') ?? '' }
}

function readParameters(disposition: string): Map<string, string> {
  const parameters = new Map<string, string>()
  const parameter = /\s*;\s*([\w*-]+)=(?:"((?:\\"|[^"])*)"|([^\s;"]*))/y
  parameter.lastIndex = /^form-data/i.exec(disposition)?.[0].length ?? 0
  let end = parameter.lastIndex
  for (let match = parameter.exec(disposition); match; match = parameter.exec(disposition)) {
    end = parameter.lastIndex
    const [, name, quoted, plain = ''] = match
    // Browsers write %22 for a quotation mark in a name, and curl \".
    const value =
      quoted
        ?.replaceAll(/\\"|%22/g, '"')
        .replaceAll('%0D', '\r')
        .replaceAll('%0A', '\n') ?? plain
    parameters.set(name!.toLowerCase(), value)
  }
  if (end === 0 || disposition.slice(end).trim() !== '') throw new FormError({ isOfName: parameters.has('filename') })
  return parameters
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new FormError({ isOfName: true })
  }
}

/** The end of the first occurrence of `wanted`. Throws a `FormError` if there is none. */
function* endOf(bytes: Uint8Array, wanted: Uint8Array, from: number): Generator<void, number> {
  for (let at = from; at < bytes.length; at += stepBytes) {
    const found = placeOf(bytes, wanted, [at, Math.min(at + stepBytes, bytes.length)])
    if (found !== undefined) return found + wanted.length
    yield
  }
  throw new FormError()
}

/** The first place of `wanted` that begins in a part of the bytes. */
function placeOf(bytes: Uint8Array, wanted: Uint8Array, [start, end]: [number, number]): number | undefined {
  const [first] = wanted
  // Native searches take longer where the first byte is common.
  for (let at = start; at < end; at++) if (bytes[at] === first && startsWith(bytes, wanted, at)) return at
  return undefined
}

function startsWith(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  for (let index = 0; index < wanted.length; index++) if (bytes[at + index] !== wanted[index]) return false
  return true
}
