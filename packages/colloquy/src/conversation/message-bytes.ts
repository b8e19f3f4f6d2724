const encoder = new TextEncoder()

/** Messages as the bytes of a JSON list that grows at its end: what was encoded once is never encoded or copied again. */
export class MessageBytes {
  /** Always full of finished bytes up to `#length`; requests that are under way hold views of them. */
  #bytes = new Uint8Array(1024)
  #length = 0
  #count = 0

  /** How many messages there are. */
  get count(): number {
    return this.#count
  }

  add(json: string): void {
    // A UTF-16 unit is at most three bytes of UTF-8.
    this.#reserve(1 + json.length * 3)
    this.#bytes[this.#length++] = this.#count === 0 ? openingBracket : comma
    this.#length += encoder.encodeInto(json, this.#bytes.subarray(this.#length)).written
    this.#count++
  }

  /** The list. */
  get pieces(): Uint8Array[] {
    return this.#count === 0 ? [encoder.encode('[]')] : [this.#bytes.subarray(0, this.#length), encoder.encode(']')]
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
