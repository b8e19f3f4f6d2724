import { APIUserAbortError } from '../../protocol/types/error.ts'
import type { Cancellable } from '../request/cancellation.ts'

/**
 * Closes the connections of streams that were garbage-collected before they were read to their end.
 *
 * A stream that has ended in any way must be unregistered. Its source keeps the error; the stack of an error that was never
 * read keeps the functions that were running, and they keep the stream, which would then never be freed.
 */
export const abandonedStreams: FinalizationRegistry<Cancellable> | undefined =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry((source) => source.cancel(new APIUserAbortError()))
