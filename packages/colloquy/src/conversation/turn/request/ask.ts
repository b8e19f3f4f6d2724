import { jsonFault } from '../../../protocol/json/json-fault.ts'
import { describeValue } from '../../../protocol/json/option-names.ts'
import type { EngineContext } from '../../../protocol/types/engine.ts'
import { AnthropicError, APIConnectionError, APIUserAbortError } from '../../../protocol/types/error.ts'
import type { Message } from '../../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../../protocol/types/params.ts'
import { closedMessage } from '../../history/interruption.ts'
import { ReplyBuilder } from '../../history/reply-builder.ts'
import type { TurnControl } from '../turn.ts'
import type { TurnScope } from '../scope.ts'
import { outcomeOf, type ReplyOutcome } from './finish.ts'
import { Journal } from './journal.ts'
import { Tracer } from './tracer.ts'

/** A request to the engine, and the place of its reply. */
export interface EngineRequest {
  params: MessageCreateParams
  context: EngineContext
  /** The reply's handle in the store. */
  handle: number
  /** Empty; or, if the request has a prefill, with the beginning of the reply. */
  builder: ReplyBuilder
  /** How many of the first messages of the path are not in the request. */
  dropped: number
  /** The length of its settings, as JSON. Default: unknown. */
  settingsLength?: number
  /** Whether the turn continues after the reply by itself. */
  continuesAfter?: ((reply: Message) => boolean) | undefined
}

/** Sends a request, journals and emits the events of its reply, and tells how the reply ended. Never throws. */
export async function askEngine(scope: TurnScope, request: EngineRequest): Promise<ReplyOutcome> {
  const { state, config, control } = scope
  const { store, id } = state
  const { handle, builder, dropped, settingsLength, continuesAfter } = request
  let unwritten: { error: unknown } | undefined
  const journal = new Journal(store, {
    handle,
    intervalMs: config.journalMs,
    onError: (error) => {
      unwritten ??= { error }
      // A reply that cannot be recorded is not worth paying for.
      control.abort(error)
    },
    onStop: () => control.abort(undefined),
  })
  let error: Error | undefined
  const reading = { isOver: false }
  const tracer = config.traces ? new Tracer(request.params) : undefined
  try {
    await control.untilGivenUp(receive(scope, request, { journal, tracer, reading }))
  } catch (caught) {
    if (!builder.isWhole) error = control.signal.aborted ? abortError(caught, config) : asError(caught)
  }
  reading.isOver = true
  const writing = journal.close()
  if (writing !== undefined) await writing
  if (error !== undefined && unwritten !== undefined) error = asError(unwritten.error)
  try {
    const { trace } = tracer ?? {}
    return outcomeOf({ id, handle, builder, error, dropped, settingsLength, trace, continuesAfter })
  } catch (cause) {
    // The place of the reply must not stay open, whatever the events of the engine hold.
    return outcomeOf({ id, handle, builder: new ReplyBuilder(), error: notJson(cause) })
  }
}

function notJson(cause: unknown): Error {
  return new AnthropicError(`Cannot keep the reply as JSON must be able to hold its events: ${jsonFault(cause)}`, {
    cause,
  })
}

interface Receiver {
  journal: Journal
  tracer: Tracer | undefined
  /** When it is over, events that still arrive are ignored: the caller gave up waiting for the engine. */
  reading: { isOver: boolean }
}

async function receive(
  { state, config, control }: TurnScope,
  { params, context, builder }: EngineRequest,
  { journal, tracer, reading }: Receiver,
): Promise<void> {
  const { signal } = control
  signal.throwIfAborted()
  const { owner } = state.record
  const events = config.engine(params, { ...context, signal, ...(owner !== null && { owner }) })
  if (typeof events?.[Symbol.asyncIterator] !== 'function') {
    throw new AnthropicError(
      `Cannot read the reply as the engine did not return events: found ${describeValue(events)} (offline() is an engine, offline is not)`,
    )
  }
  for await (const event of events) {
    if (reading.isOver) return
    if (event.type === 'ping') continue
    builder.push(event)
    journal.push(event)
    tracer?.push(event)
    control.emit(event)
    // The message is complete: an error of the engine after that changes nothing.
    if (builder.isWhole) return
    signal.throwIfAborted()
  }
  throw new APIConnectionError({ message: 'The reply ended before it was whole: found no message_stop.' })
}

/** A control whose events and message are not those of the turn. */
export function withoutEvents(control: TurnControl, signal: AbortSignal = control.signal): TurnControl {
  return {
    signal,
    untilGivenUp: (work) => control.untilGivenUp(work),
    abort: (reason) => control.abort(reason),
    emit: () => {},
    exposeMessage: () => {},
    isRecorded: false,
    summaries: [],
    isSummarizing: false,
  }
}

/** An abort always has the same class, whatever the engine threw. */
function abortError(cause: unknown, { turns }: TurnScope['config']): APIUserAbortError {
  if (turns.isClosing) return new APIUserAbortError({ message: closedMessage, cause })
  return cause instanceof APIUserAbortError ? cause : new APIUserAbortError({ cause })
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
