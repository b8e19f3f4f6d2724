import { type ServerEvent, SseParser, decodeEvents, parseEvent } from 'colloquy/protocol'
import { format, measure } from './run.ts'

const count = 100_000
const wire = stream(count)

/**
 * Decodes bytes into typed events, compared with a loop written for exactly these bytes: LF only, one data line, no
 * checks. Once chunk by chunk, as the client reads, and once with a promise for each event, as `for await` needs.
 */
export async function* report(): AsyncGenerator<string> {
  for (const [title, chunks] of [
    ['many events a chunk', cut(wire, 16_000)],
    ['one event a chunk', events(wire)],
  ] as const) {
    const work = { count, of: 'event' }
    const loops = [
      { name: 'hand loop', run: () => byHand(chunks) },
      { name: 'SseParser', run: () => byParser(chunks) },
    ] as const
    yield format(await measure({ title: `decode a stream, ${title}`, work, contestants: loops }))
    const iterables = [
      { name: 'hand loop', run: () => lengthOf(eventsByHand(body(chunks))) },
      { name: 'decodeEvents', run: () => lengthOf(decodeEvents(body(chunks))) },
    ] as const
    yield format(await measure({ title: `for await over a stream, ${title}`, work, contestants: iterables }))
  }
}

function byHand(chunks: readonly Uint8Array[]): number {
  const decoder = new TextDecoder()
  let rest = ''
  let length = 0
  for (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) length += textLength(JSON.parse(part.slice(part.indexOf('data: ') + 6)) as ServerEvent)
  }
  return length
}

function byParser(chunks: readonly Uint8Array[]): number {
  const parser = new SseParser()
  let length = 0
  for (const chunk of chunks) for (const sent of parser.push(chunk)) length += textLength(parseEvent(sent))
  return length
}

async function* eventsByHand(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) yield JSON.parse(part.slice(part.indexOf('data: ') + 6)) as ServerEvent
  }
}

async function* body(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk
}

async function lengthOf(events: AsyncIterable<ServerEvent>): Promise<number> {
  let length = 0
  for await (const event of events) length += textLength(event)
  return length
}

function textLength(event: ServerEvent | undefined): number {
  if (event?.type !== 'content_block_delta' || event.delta.type !== 'text_delta') return 0
  return event.delta.text.length
}

/** Text deltas in the API's form: about 20 characters each, some escaped, some not ASCII, padded with blanks. */
function stream(deltas: number): Uint8Array {
  const texts = [
    'The quick brown fox ',
    'jumps over the lazy',
    ' dog, and "quoted"\\n',
    ' naïve café — ok 👍',
    ' return x + y;\\n\\t',
  ]
  let out = ''
  for (let index = 0; index < deltas; index++) {
    const text = texts[index % texts.length]!.replaceAll('"', '\\"')
    const padding = ' '.repeat((index * 7) % 10)
    out += `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}${padding}}\n\n`
  }
  return new TextEncoder().encode(out)
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}

function events(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let start = 0, at = 1; at < bytes.length; at++) {
    if (bytes[at] !== 10 || bytes[at - 1] !== 10) continue
    found.push(bytes.subarray(start, at + 1))
    start = at + 1
  }
  return found
}
