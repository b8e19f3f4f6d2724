import { AnthropicError } from '../../protocol/types/error.ts'
import { ContentError } from '../errors.ts'

/**
 * Runs a function that parses JSON, and turns its errors into a `ContentError` that names the place.
 *
 * @param place such as `line 3`.
 */
export function parseAt<Result>(place: string, json: string, parse: (json: string) => Result): Result {
  try {
    return parse(json)
  } catch (error) {
    if (error instanceof AnthropicError) throw error
    throw new ContentError(`Cannot import ${place}: ${(error as Error).message}`, { cause: error })
  }
}
