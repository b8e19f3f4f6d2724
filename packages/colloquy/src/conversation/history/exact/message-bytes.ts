const encoder = new TextEncoder()

/** Messages as the bytes of a JSON list that grows at its end. No message is encoded or copied twice. */
export class MessageBytes {
  /** The bytes up to the last end never change: requests in flight hold views of them. */
  #bytes = new Uint8Array()
  /** The end of each message. */
  readonly #ends: number[] = []

  /** The number of messages. */
  get count(): number {
    return this.#ends.length
  }

  get #length(): number {
    return this.#ends.at(-1) ?? 0
  }

  add(json: string): void {
    // A UTF-16 unit is at most three bytes of UTF-8.
    this.#reserve(1 + json.length * 3)
    const start = this.#length
    this.#bytes[start] = this.count === 0 ? openingBracket : comma
    this.#ends.push(start + 1 + encoder.encodeInto(json, this.#bytes.subarray(start + 1)).written)
  }

  /** The list of the first `count` messages, followed by others that are given as JSON. */
  pieces(count: number, others: readonly string[] = []): Uint8Array[] {
    const texts = count === 0 ? `[${others.join(',')}]` : `${others.map((other) => `,${other}`).join('')}]`
    return [...(count === 0 ? [] : [this.#bytes.subarray(0, this.#ends[count - 1])]), encoder.encode(texts)]
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

const openingBracket = 0x5b
const comma = 0x2c
