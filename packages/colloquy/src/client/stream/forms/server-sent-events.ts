import { decodeEvents } from '../../../protocol/codec/event-stream.ts'
import { decodeSse } from '../../../protocol/codec/sse.ts'
import { bodyOf, chunksOf } from './chunks.ts'

/** An event of a response before its data is parsed. `event` is null if the event has no name, `raw` are its lines. */
export interface RawEvent {
  event: string | null
  data: string
  raw: string[]
}

/** Reads the events of a streamed response, without pings. An `error` event is thrown as an `APIError`. */
export async function* readEvents<Item>(response: Response, controller?: AbortController): AsyncGenerator<Item> {
  const events = decodeEvents(chunksOf(bodyOf(response), controller), { headers: response.headers })
  for await (const event of events) if (event.type !== 'ping') yield event as Item
}

/** Reads the events of a streamed response as they travel. */
export async function* readRawEvents(response: Response, controller?: AbortController): AsyncGenerator<RawEvent> {
  for await (const { event = null, data } of decodeSse(chunksOf(bodyOf(response), controller))) {
    const lines = data.split('\n').map((line) => `data: ${line}`)
    yield { event, data, raw: event === null ? lines : [`event: ${event}`, ...lines] }
  }
}
