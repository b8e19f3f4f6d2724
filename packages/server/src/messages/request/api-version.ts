import { apiError } from 'colloquy/protocol'
import type { RequestHeaders } from '../../access/request-headers.ts'

const versions = ['2023-06-01', '2026-10-21']

/** Reads `anthropic-version`. In lenient mode a request without one gets `2023-06-01`, which refuses least. */
export function readApiVersion(headers: RequestHeaders, lenient: boolean): string {
  const version = headers.get('anthropic-version')
  if (version === null) {
    if (lenient) return versions[0]!
    throw apiError('invalid_request_error', 'anthropic-version: header is required')
  }
  if (!versions.includes(version) && !lenient)
    throw apiError('invalid_request_error', `anthropic-version: "${version}" is not a valid version`)
  return version
}
