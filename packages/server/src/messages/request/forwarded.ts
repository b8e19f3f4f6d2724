import { type MessageCreateParams, type ModelEntry, apiError } from 'colloquy/protocol'
import type { RequestHeaders } from '../../access/request-headers.ts'
import {
  array,
  boolean,
  type Context,
  dictionary,
  integer,
  nullable,
  object,
  optional,
  shortened,
  string,
  text,
} from '../validate/schema.ts'
import { readApiVersion } from './api-version.ts'

/** The headers of a client that are sent on, besides the version. Keys, and the headers of the connection, are not. */
const passedHeaders = [
  'anthropic-beta',
  'anthropic-user-profile-id',
  'idempotency-key',
  'x-app',
  'x-claude-code-session-id',
]

/** The fields that this server reads: to route, meter and limit a request. The others are the upstream's to check. */
const readFields = object<ReadFields>({
  model: text({ least: 1 }),
  stream: optional(nullable(boolean)),
  max_tokens: optional(integer({ least: 0 })),
  metadata: optional(nullable(object<{ user_id?: string | null }>({ user_id: optional(nullable(string)) }))),
  messages: optional(array<object>(dictionary)),
  tools: optional(nullable(array<object>(dictionary))),
})

interface ReadFields {
  model: string
  stream?: boolean | null
  max_tokens?: number
  metadata?: { user_id?: string | null } | null
  messages?: object[]
  tools?: object[] | null
}

const anyVersion: Context = { lenient: true, version: '', betas: new Set() }

/**
 * Checks a body that is sent on as it is, only as far as this server reads it.
 *
 * @param models the models that may be used. Undefined: any.
 */
export function checkForwarded(
  body: unknown,
  models: { find(id: string): ModelEntry | undefined } | undefined,
): MessageCreateParams {
  const { model } = readFields(body, '', anyVersion)
  if (models && !models.find(model)) throw apiError('not_found_error', shortened(`model: ${model}`))
  return body as MessageCreateParams
}

/** The headers to send on. */
export function forwardedHeaders(headers: RequestHeaders): Record<string, string> {
  const passed: Record<string, string> = { 'anthropic-version': readApiVersion(headers, true) }
  for (const name of passedHeaders) {
    const value = headers.get(name)
    if (value !== null) passed[name] = value
  }
  return passed
}
