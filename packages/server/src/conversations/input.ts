import type { MessageContentParam } from 'colloquy/protocol'
import { BodyReader, type BodyOptions } from '../messages/request/body.ts'
import { incomingOf } from '../messages/request/body-source.ts'
import { badRequest } from '../messages/request/query.ts'
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

  constructor(options: BodyOptions) {
    this.#reader = new BodyReader(options)
  }

  /** Reads a JSON body. An absent one is an empty object. Throws the API's 400, 408, 413 or 529. */
  async read<T>(request: Request, schema: Schema<T>): Promise<T> {
    return schema(await this.#reader.readOptional(incomingOf(request)), '', strict)
  }

  /** Reads a body as text. Throws the API's 400, 408, 413 or 529. */
  readText(request: Request): Promise<string> {
    return this.#reader.readText(incomingOf(request))
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

export { object }
