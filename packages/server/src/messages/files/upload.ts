import { apiError } from 'colloquy/protocol'
import { refuse } from '../validate/schema.ts'

/** A file as it was uploaded. */
export interface Upload {
  name: string
  mediaType: string
  bytes: Uint8Array
  /** Seconds until the file expires; null: never. */
  expiresInSeconds: number | null
}

/** The form around a file may take this many bytes more. */
const formBytes = 64 * 1024
export const leastSeconds = 3_600
export const mostSeconds = 7_776_000

/** The most bytes of the form of a file. */
export function mostFormBytes(maxBytes: number): number {
  return maxBytes + formBytes
}

/** Reads the form of `POST /v1/files`. Throws the API's 400 or 413. */
export async function readUpload(body: Uint8Array, type: string, maxBytes: number): Promise<Upload> {
  const form = await readForm(body as Uint8Array<ArrayBuffer>, type)
  const file = form.get('file')
  if (file === null) refuse('file', 'Field required')
  if (typeof file === 'string') refuse('file', 'Input should be a file')
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (bytes.length > maxBytes) throw tooLarge(maxBytes)
  if (bytes.length === 0) refuse('file', 'the file is empty')
  return {
    name: checkName(file.name),
    mediaType: file.type || 'application/octet-stream',
    bytes,
    expiresInSeconds: readSeconds(form.get('expires_in_seconds')),
  }
}

/** The type of the form in the body. Throws the API's 400 for another body. */
export function formTypeOf({ headers }: Request): string {
  const type = headers.get('content-type') ?? ''
  if (!/^multipart\/form-data\b/i.test(type)) refuse('', 'Content-Type must be multipart/form-data')
  return type
}

async function readForm(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(new Blob([bytes]), { headers: { 'content-type': type } }).formData()
  } catch {
    // The parser ends a name at its first quotation mark, whether or not a backslash is before it, as curl writes it.
    if (hasQuoteInName(bytes)) return refuse('file', wrongName)
    return refuse('', 'Cannot read the request body: it is not a valid form')
  }
}

function hasQuoteInName(bytes: Uint8Array): boolean {
  const beginning = new TextDecoder().decode(bytes.subarray(0, formBytes))
  return /; *filename="[^"\r\n]*"(?![;\r\n])/i.test(beginning)
}

const wrongName = 'the filename must have at most 255 characters, without < > : " | ? * and control characters'

function checkName(given: string): string {
  const name = given.split(/[/\\]/).at(-1)!
  if (name === '') return 'unnamed'
  if (name.length <= 255 && !/[<>:"|?*]|\p{Cc}/u.test(name)) return name
  return refuse('file', wrongName)
}

function readSeconds(value: ReturnType<FormData['get']>): number | null {
  if (value === null) return null
  const seconds = Number(value)
  if (typeof value !== 'string' || !Number.isInteger(seconds))
    refuse('expires_in_seconds', 'Input should be a valid integer')
  if (seconds < leastSeconds || seconds > mostSeconds)
    refuse('expires_in_seconds', `Input should be between ${leastSeconds} and ${mostSeconds}`)
  return seconds
}

function tooLarge(maxBytes: number): Error {
  return apiError('request_too_large', `The file exceeds the maximum size of ${maxBytes} bytes`)
}
