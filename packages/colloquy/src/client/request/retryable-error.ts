import { APIConnectionError } from '../../protocol/types/error.ts'

/** What a middleware throws to have the try that it wraps made again, while `maxRetries` allows one. */
export class RetryableError extends APIConnectionError {
  override name = 'RetryableError'

  constructor(message: string = 'Retryable error.', { cause }: { cause?: unknown } = {}) {
    super({ message, cause })
  }
}
