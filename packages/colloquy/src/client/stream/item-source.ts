import type { Cancellable } from '../request/cancellation.ts'
import type { Sink } from '../transport/sink.ts'
import type { TransportResponse } from '../transport/transport.ts'

/** The items of one response, in batches, such as the events of a message. */
export interface ItemSource<Item> extends Cancellable {
  readonly response: TransportResponse | undefined
  /** Why the items ended early. `read` throws it. */
  readonly failure: Error | undefined
  /** Whether the last item has arrived. */
  readonly isOver: boolean
  /** The next items, at least one; undefined at the end. */
  read(): Promise<readonly Item[] | undefined>
  /** Writes the next items to the sink, for as long as it wants more. Present if the source needs no promise for them. */
  pipe?(sink: Sink<readonly Item[]>): void
}
