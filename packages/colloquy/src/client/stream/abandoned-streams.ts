import { APIUserAbortError } from '../../protocol/types/error.ts'
import type { Cancellable } from '../request/cancellation.ts'

/**
 * Closes the connections of streams that were garbage-collected before they were read to their end.
 *
 * A stream that has ended in any way must be unregistered: its source keeps the error, and the stack of an error that was
 * never read keeps the functions that were running, and with them the stream, alive for good.
 */
export const abandonedStreams: FinalizationRegistry<Cancellable> | undefined =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry((source) => source.cancel(new APIUserAbortError()))
