import { AnthropicError } from '../../../protocol/types/error.ts'

/** The key that the function returns. */
export async function callApiKeySetter(apiKey: () => unknown): Promise<string> {
  let key: unknown
  try {
    key = await apiKey()
  } catch (cause) {
    throw new AnthropicError(`Cannot get the API key: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  if (typeof key === 'string' && key !== '') return key
  throw new AnthropicError(`Cannot get the API key: apiKey() returned ${key === '' ? 'an empty string' : typeof key}`)
}
