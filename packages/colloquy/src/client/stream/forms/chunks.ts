import { APIUserAbortError } from '../../../protocol/types/error.ts'
import { type BodyReader, bytesOf, readerOf } from '../../transport/other-bodies.ts'

/**
 * The chunks of a body. If the caller leaves the loop early, the body is closed and the controller is aborted. If the
 * controller is aborted, the body is closed and the loop ends with an `APIUserAbortError`.
 */
export async function* chunksOf(body: BodyReader, controller?: AbortController): AsyncGenerator<Uint8Array> {
  const signal = controller?.signal
  const stop = (): void => void body.cancel().catch(() => {})
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  let isRead = false
  try {
    for (;;) {
      const { value, done } = await body.read()
      if (signal?.aborted) throw new APIUserAbortError({ cause: signal.reason })
      if ((isRead = done === true)) return
      if (value !== undefined) yield bytesOf(value)
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    if (!isRead) {
      stop()
      controller?.abort()
    }
  }
}

/** Reads the body of a response of any `fetch`. */
export function bodyOf(response: Response): BodyReader {
  const { body } = response
  return typeof body?.getReader === 'function' ? body.getReader() : readerOf(response)
}
