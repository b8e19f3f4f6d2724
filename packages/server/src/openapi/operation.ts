import type { JsonSchema } from 'colloquy/protocol'

/** A route for the description of the server. */
export interface Operation {
  /** One sentence, without a full stop. */
  summary: string
  description?: string
  /** The parameters of its query, by name. */
  query?: Readonly<Record<string, Parameter>>
  body?: Content & { isRequired?: boolean }
  response: Content & { status?: number }
  /** Whether it takes the headers of the API. Default false. */
  hasApiHeaders?: boolean
  /** Whether it needs no key. Default false. */
  isOpen?: boolean
}

/** The schema of a parameter, and whether a list of them may be given. */
export type Parameter = JsonSchema & { description: string }

/** A body: its schemas by media type. */
export interface Content {
  description?: string
  content: Readonly<Record<string, JsonSchema>>
}

/** Operations by method and path, such as `GET /v1/models/:id`. */
export type Operations = Readonly<Record<string, Operation>>

/** The content of a JSON body. */
export function jsonContent(schema: JsonSchema): Content {
  return { content: { 'application/json': schema } }
}

/** The schema with a name of `responses.ts`, or of a check. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** The parameters of a page of a list of the API. */
export const pageQuery: Readonly<Record<string, Parameter>> = {
  limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 20, description: 'The most entries of the page.' },
  before_id: { type: 'string', description: 'The page ends before this entry.' },
  after_id: { type: 'string', description: 'The page begins after this entry. Not together with `before_id`.' },
}
