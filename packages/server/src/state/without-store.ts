import { StoreError } from 'colloquy/conversation/errors'
import { apiError } from 'colloquy/protocol'

/** Hides the database from clients, which may retry: its error becomes the API's 529. Other errors are returned unchanged. */
export function withoutStore(error: unknown): unknown {
  return error instanceof StoreError ? apiError('overloaded_error', 'Overloaded') : error
}
