import { SseParser } from 'colloquy/protocol'
import { format, measure } from './run.ts'

const count = 100_000
const wire = stream(count)

/** Our decoder against a loop written by hand for exactly these bytes: LF only, one data line, no checks. */
export async function* report(): AsyncGenerator<string> {
  for (const [title, chunks] of [
    ['decode a stream, many events a chunk', cut(wire, 16_000)],
    ['decode a stream, one event a chunk', events(wire)],
  ] as const) {
    const result = await measure({
      title,
      work: { count, of: 'event' },
      contestants: [
        { name: 'hand loop', run: () => byHand(chunks) },
        { name: 'SseParser', run: () => parsed(chunks) },
      ],
    })
    yield format(result)
  }
}

function parsed(chunks: readonly Uint8Array[]): number {
  const parser = new SseParser()
  let length = 0
  for (const chunk of chunks) {
    for (const { data } of parser.push(chunk)) length += textLength(data)
  }
  return length
}

function byHand(chunks: readonly Uint8Array[]): number {
  const decoder = new TextDecoder()
  let rest = ''
  let length = 0
  for (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    let end
    while ((end = rest.indexOf('\n\n')) !== -1) {
      length += textLength(rest.slice(rest.indexOf('data: ') + 6, end))
      rest = rest.slice(end + 2)
    }
  }
  return length
}

function textLength(data: string): number {
  const event = JSON.parse(data) as { delta?: { text: string } }
  return event.delta?.text.length ?? 0
}

/** Text deltas as the API sends them: about 20 characters each, some escaped, some not ASCII, padded with blanks. */
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
