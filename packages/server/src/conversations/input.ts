import { apiError, type MessageContentParam } from 'colloquy/protocol'
import { BodyReader, type BodyOptions } from '../messages/request/body.ts'
import { webBody } from '../messages/request/body-source.ts'
import {
  array,
  type Context,
  json,
  nullable,
  object,
  opaque,
  type Optional,
  type Schema,
  stringOr,
} from '../messages/validate/schema.ts'
import { named, shaped } from '../messages/validate/shape.ts'

const strict = { lenient: false, version: '', betas: new Set<string>() }

/** Reads the bodies of requests, within limits. */
export class Bodies {
  readonly #reader: BodyReader
  readonly #maxBytes: number

  constructor(options: BodyOptions) {
    this.#reader = new BodyReader(options)
    this.#maxBytes = options.maxBodyBytes ?? 32 * 1024 * 1024
  }

  /** Reads a JSON body. An absent one is an empty object. Throws the API's 400, 408, 413 or 529. */
  async read<T>(request: Request, schema: Schema<T>): Promise<T> {
    const { headers, signal } = request
    const value = request.body ? await this.#reader.readJson({ headers, body: webBody(request.body), signal }) : {}
    return schema(value, '', strict)
  }

  /** Reads a body as text. Throws the API's 413. */
  async readText(request: Request): Promise<string> {
    const decoder = new TextDecoder()
    let text = ''
    let bytes = 0
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > this.#maxBytes) throw apiError('request_too_large', 'Request exceeds the maximum size')
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  }
}

/** A member that may be absent, and may be null. */
export function nullableMember<T>(schema: Schema<T>): Optional<T | null> {
  return { optional: nullable(schema) }
}

// They are for programs, or stand beside the settings.
const notSettings = ['signal', 'toolOptions', 'onConflict', 'key', 'messages', 'stream']

/** Settings of a turn or a conversation. The conversation checks their values. */
export const settings: Schema<Record<string, unknown>> = named(
  'ConversationSettings',
  shaped(
    (value: unknown, path: string, context: Context) => {
      const given = json(value, path, context)
      const wrong = notSettings.find((name) => name in given)
      if (wrong !== undefined) throw badRequest(`${path}.${wrong}: Extra inputs are not permitted`)
      return given
    },
    () => ({ type: 'object', properties: Object.fromEntries(notSettings.map((name) => [name, false])) }),
  ),
)

/** The content of a message. The conversation checks its blocks. */
export const content: Schema<MessageContentParam> = stringOr(array(opaque()))

/** The API's 400. */
export function badRequest(message: string): Error {
  return apiError('invalid_request_error', message)
}

/** A number in the query of a request. */
export function countIn(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const text = query.get(name)
  if (text === null) return fallback
  const count = Number(text)
  if (/^\d{1,9}$/.test(text) && count >= 1 && count <= most) return count
  throw badRequest(`${name}: must be a whole number from 1 to ${most}`)
}

export { object }
