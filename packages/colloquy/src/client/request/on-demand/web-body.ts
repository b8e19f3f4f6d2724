// Loaded when a body is not sent as JSON.
import { AnthropicError } from '../../../protocol/types/error.ts'
import { isUploadable, makeFile } from './to-file.ts'

/** A body as it is sent, with the media type that belongs to it. */
export interface EncodedBody {
  bytes: Uint8Array
  contentType: string | null
}

/** Reads a form, a `Blob`, a stream or another body of the web to its end, so that each attempt can send it. */
export async function encodeWebBody(body: unknown): Promise<EncodedBody> {
  const value = typeof body === 'function' ? await (body as () => unknown)() : body
  const encoded = new Response(value as ConstructorParameters<typeof Response>[0])
  return { contentType: encoded.headers.get('content-type'), bytes: new Uint8Array(await encoded.arrayBuffer()) }
}

/** A multipart form of the fields. A field that is undefined is left out. */
export async function formOf(fields: Record<string, unknown>): Promise<FormData> {
  const form = new FormData()
  for (const [name, given] of Object.entries(fields)) {
    const value = await given
    if (value === undefined) continue
    if (isUploadable(value)) form.append(name, await makeFile(value))
    else if (['string', 'number', 'boolean'].includes(typeof value)) form.append(name, String(value))
    else throw new AnthropicError(`Cannot send ${name} in a form: ${adviceFor(value)}`)
  }
  return form
}

function adviceFor(value: unknown): string {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `bytes have no name, so make a file of them with toFile(bytes, 'name')`
  }
  return `expected a file, text, a number or a boolean: found ${value === null ? 'null' : typeof value}`
}
