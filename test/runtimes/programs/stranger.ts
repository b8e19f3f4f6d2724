import Anthropic from 'colloquy'
import { ask, clientOf } from './client.ts'
import { type Promises, failure, ok } from './promise.ts'

/** The behavior of a page whose origin is not listed. */
export const strangerPromises: Promises = {
  'the browser blocks its requests': async (given) => {
    const error = await failure(clientOf(given, { maxRetries: 0 }).messages.create(ask('Hello')))
    ok(error instanceof Anthropic.APIConnectionError, `${String(error)} is an APIConnectionError`)
  },
}
