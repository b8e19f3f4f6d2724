const newline = 0x0a
const carriageReturn = 0x0d

/** The bytes of a stream of events, in parts that end where an event ends. */
export class ReceivedBytes {
  /** The number of bytes that were pushed. */
  total = 0
  #chunks: Uint8Array[] = []

  /** Copies the chunk: a transport may use its memory again. */
  push(chunk: Uint8Array): void {
    // Not `slice()`, which copies nothing of a `Buffer`.
    this.#chunks.push(new Uint8Array(chunk))
    this.total += chunk.length
  }

  /** Removes and returns the bytes up to the end of the last event. The rest is kept. */
  take(): Uint8Array {
    const bytes = joined(this.#chunks)
    const end = endOfLastEvent(bytes)
    this.#chunks = end === bytes.length ? [] : [bytes.subarray(end)]
    return bytes.subarray(0, end)
  }

  /** Removes all bytes. */
  clear(): void {
    this.#chunks = []
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** The index after the last blank line, whose line end may be any of the three: 0 if there is none. */
function endOfLastEvent(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at > 0; at--) {
    const isEnd = bytes[at] === newline || bytes[at] === carriageReturn
    if (isEnd && isLineEnd(bytes, bytes[at] === newline && bytes[at - 1] === carriageReturn ? at - 2 : at - 1))
      return at + 1
  }
  return 0
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === newline || bytes[at] === carriageReturn
}
