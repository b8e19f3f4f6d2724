import { type MessageCreateParams, type ModelEntry, apiError } from 'colloquy/protocol'
import type { RequestHeaders } from '../../access/request-headers.ts'
import { dictionary, refuse, shortened, text } from '../validate/schema.ts'
import { readApiVersion } from './api-version.ts'

/** The headers of a client that are sent on, besides the version. Keys, and the headers of the connection, are not. */
const passedHeaders = [
  'anthropic-beta',
  'anthropic-user-profile-id',
  'idempotency-key',
  'x-app',
  'x-claude-code-session-id',
]

const modelName = text({ least: 1 })

/**
 * Checks a body that is sent on as it is: only the fields that this server itself reads. The upstream checks the others.
 *
 * @param models the models that may be used. Undefined: any.
 */
export function checkForwarded(
  body: unknown,
  models: { find(id: string): ModelEntry | undefined } | undefined,
): MessageCreateParams {
  const given = dictionary(body, '')
  const { model, stream } = given
  if (model === undefined) refuse('model', 'Field required')
  const name = modelName(model, 'model', { lenient: true, version: '', betas: new Set() })
  if (typeof stream !== 'boolean' && stream != null) refuse('stream', 'Input should be a valid boolean')
  if (models && !models.find(name)) throw apiError('not_found_error', shortened(`model: ${name}`))
  return given as unknown as MessageCreateParams
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
