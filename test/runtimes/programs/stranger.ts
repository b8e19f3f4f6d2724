import Anthropic from 'colloquy'
import { ask, clientOf } from './client.ts'
import { type Promises, failure, ok } from './promise.ts'

/** What a page meets that the server was not told of. */
export const strangerPromises: Promises = {
  'the browser keeps it from asking': async (given) => {
    const error = await failure(clientOf(given, { maxRetries: 0 }).messages.create(ask('Hello')))
    ok(error instanceof Anthropic.APIConnectionError, `${String(error)} is an APIConnectionError`)
  },
}
