import { inPieces } from 'colloquy/engines'
import { apiError } from 'colloquy/protocol'
import { refuse } from '../validate/schema.ts'
import { FormError, type FormField, readForm } from './form.ts'

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
export async function readUpload(body: Uint8Array, boundary: string, maxBytes: number): Promise<Upload> {
  const fields = await fieldsOf(body, boundary)
  const file = fields.find(({ name }) => name === 'file')
  if (file === undefined) refuse('file', 'Field required')
  const { bytes, fileName, mediaType } = file
  if (fileName === undefined) refuse('file', 'Input should be a file')
  if (bytes.length > maxBytes) throw tooLarge(maxBytes)
  if (bytes.length === 0) refuse('file', 'the file is empty')
  const name = checkName(fileName)
  const seconds = fields.find(({ name: each }) => each === 'expires_in_seconds')
  return { name, mediaType: mediaType || 'application/octet-stream', bytes, expiresInSeconds: readSeconds(seconds) }
}

/** The boundary between the fields of the form in the body. Throws the API's 400 for another body. */
export function boundaryOf({ headers }: Request): string {
  const type = headers.get('content-type') ?? ''
  const boundary = /^multipart\/form-data\b.*;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type)
  return boundary?.[1] ?? boundary?.[2] ?? refuse('', 'Content-Type must be multipart/form-data')
}

async function fieldsOf(body: Uint8Array, boundary: string): Promise<FormField[]> {
  try {
    return await inPieces(readForm(body, boundary))
  } catch (error) {
    if (!(error instanceof FormError)) throw error
    if (error.isOfName) return refuse('file', wrongName)
    return refuse('', 'Cannot read the request body: it is not a valid form')
  }
}

const wrongName = 'the filename must have at most 255 characters, without < > : " | ? * and control characters'

function checkName(given: string): string {
  const name = given.split(/[/\\]/).at(-1)!
  if (name === '') return 'unnamed'
  if (name.length <= 255 && !/[<>:"|?*]|\p{Cc}/u.test(name)) return name
  return refuse('file', wrongName)
}

function readSeconds(field: FormField | undefined): number | null {
  if (field === undefined) return null
  const seconds = Number(new TextDecoder().decode(field.bytes))
  if (!Number.isInteger(seconds)) refuse('expires_in_seconds', 'Input should be a valid integer')
  if (seconds < leastSeconds || seconds > mostSeconds)
    refuse('expires_in_seconds', `Input should be between ${leastSeconds} and ${mostSeconds}`)
  return seconds
}

function tooLarge(maxBytes: number): Error {
  return apiError('request_too_large', `The file exceeds the maximum size of ${maxBytes} bytes`)
}
