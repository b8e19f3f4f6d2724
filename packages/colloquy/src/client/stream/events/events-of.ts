import { FetchResponse } from '../../transport/fetch-response.ts'
import { Stream } from '../stream.ts'
import { sourceStream } from '../source-stream.ts'
import { IterableEvents } from './iterable-events.ts'
import type { ParseableParams } from '../../../protocol/json/parsed-message.ts'
import type { MessageStreamParams } from '../../../protocol/types/params.ts'
import type { Log } from '../../request/log.ts'
import type { AbortedLoops, RecoverOptions } from '../../request/options.ts'
import type { SendResume } from '../resume/resuming-events.ts'
import { collect } from './response-events.ts'
import type { MessageEvents, StreamedEvent } from './message-events.ts'

/** A promise that `create()` returned, or a function that the program has put in its place. */
interface Created {
  withResponse?(): Promise<{ response?: Response | undefined }>
}

/** The events of the stream that `create()` returned, in batches if the stream is the client's own. */
export async function eventsOf(stream: AsyncIterable<StreamedEvent>, created: Created): Promise<MessageEvents> {
  // Tracers give the stream another iterator, which then has to be read.
  const isOwn = stream instanceof Stream && !Object.hasOwn(stream, Symbol.asyncIterator)
  const source = isOwn ? (stream as Stream<StreamedEvent>).takeSource() : undefined
  if (source) return source as MessageEvents
  const response = (await created.withResponse?.())?.response
  return new IterableEvents(stream, response && new FetchResponse(response, response.url))
}

/** The events of a stream that `toReadableStream()` wrote. */
export function readableEvents(readable: ReadableStream<Uint8Array>): MessageEvents {
  return new IterableEvents(Stream.fromReadableStream<StreamedEvent>(readable))
}

/** Reads events as a stream, or else as the complete message. */
export async function readEvents(
  source: MessageEvents,
  isStream: boolean | undefined,
  abortedLoops: AbortedLoops | undefined,
): Promise<unknown> {
  return isStream ? sourceStream(source, abortedLoops) : collect(source)
}

/** The events with the parsed text of their message, if an output format was requested. */
export async function parsedEvents(
  source: MessageEvents,
  params: Partial<ParseableParams> | undefined,
  log: Log,
): Promise<MessageEvents> {
  if (!params?.output_config?.format && !params?.output_format) return source
  const { withParsedOutput } = await import('./parsed-output.ts')
  return withParsedOutput(source, params, log)
}

/** The events, continued by further requests if they break off. */
export async function resumingEvents(
  source: MessageEvents,
  params: MessageStreamParams,
  options: RecoverOptions,
  send: SendResume,
): Promise<MessageEvents> {
  const { ResumingEvents } = await import('../resume/resuming-events.ts')
  return new ResumingEvents(source, params, options, send)
}
