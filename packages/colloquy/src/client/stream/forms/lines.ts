import { chunksOf } from './chunks.ts'

/** Reads the items that `toReadableStream()` wrote, each as a line of JSON. */
export async function* readLines<Item>(
  readable: ReadableStream<Uint8Array>,
  controller?: AbortController,
): AsyncGenerator<Item> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunksOf(readable.getReader(), controller)) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split('\n')
    text = lines.pop()!
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as Item
  }
  text += decoder.decode()
  if (text.trim()) yield JSON.parse(text) as Item
}

/** Writes an item as a line of JSON, or ends the stream after the last. */
export function writeLine(
  { value, done }: IteratorResult<unknown>,
  controller: ReadableStreamDefaultController<Uint8Array>,
): void {
  if (done) controller.close()
  else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`))
}

const encoder = new TextEncoder()
