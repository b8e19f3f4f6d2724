import { APIUserAbortError } from '../../protocol/types/error.ts'

/** Reads the items that `toReadableStream()` wrote, each as a line of JSON. */
export async function* readLines<Item>(
  readable: ReadableStream<Uint8Array>,
  controller?: AbortController,
): AsyncGenerator<Item> {
  const reader = readable.getReader()
  const stop = (): void => void reader.cancel().catch(() => {})
  controller?.signal.addEventListener('abort', stop, { once: true })
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (controller?.signal.aborted) throw new APIUserAbortError({ cause: controller.signal.reason })
      text += done ? decoder.decode() : decoder.decode(value, { stream: true })
      const lines = text.split('\n')
      text = done ? '' : lines.pop()!
      for (const line of lines) if (line.trim()) yield JSON.parse(line) as Item
      if (done) return
    }
  } finally {
    controller?.signal.removeEventListener('abort', stop)
    stop()
  }
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
