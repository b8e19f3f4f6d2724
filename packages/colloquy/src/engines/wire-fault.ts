import { APIConnectionError } from '../protocol/types/error.ts'

/** How a scripted connection ends: torn down, or closed as if the answer were complete. */
export type WireEnd = 'reset' | 'close'

/**
 * A fault below the protocol, for tests: an engine throws it to have the server break the connection instead of
 * reporting an error. In process it is what it stands for, an `APIConnectionError`.
 */
export class WireFault extends APIConnectionError {
  override name = 'WireFault'
  readonly end: WireEnd
  /** Written as they are before the end. */
  readonly bytes: Uint8Array | undefined

  constructor(end: WireEnd, bytes?: Uint8Array) {
    super({ message: end === 'reset' ? 'Connection reset.' : 'Connection closed before the message was complete.' })
    this.end = end
    this.bytes = bytes
  }
}
