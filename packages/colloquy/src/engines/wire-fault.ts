import { APIConnectionError } from '../protocol/types/error.ts'

/** How a scripted connection ends: reset, or closed as after a complete response. */
export type WireEnd = 'reset' | 'close'

/**
 * A fault of the connection, for tests. An engine throws it to make the server break the connection instead of reporting an
 * error. In process it is an `APIConnectionError`.
 */
export class WireFault extends APIConnectionError {
  override name = 'WireFault'
  readonly end: WireEnd
  /** Raw bytes to write before the end. */
  readonly bytes: Uint8Array | undefined

  constructor(end: WireEnd, bytes?: Uint8Array) {
    super({ message: end === 'reset' ? 'Connection reset.' : 'Connection closed before the message was complete.' })
    this.end = end
    this.bytes = bytes
  }
}
