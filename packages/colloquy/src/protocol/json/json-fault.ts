import { AnthropicError } from '../types/error.ts'

/** Why JSON cannot hold a value, in one line: V8 adds the path of a value that contains itself. @param error of `JSON.stringify()`. */
export function jsonFault(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0]!
}

/**
 * The value as JSON; undefined if JSON leaves it out, as it does a function. Throws an error if JSON cannot hold it.
 *
 * @param doing the end of the error message "Cannot …".
 */
export function jsonText(
  value: unknown,
  doing: string,
  Refusal: new (message: string, options: { cause: unknown }) => Error = AnthropicError,
): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    throw new Refusal(`Cannot ${doing}: JSON must be able to hold it: ${jsonFault(error)}`, { cause: error })
  }
}
