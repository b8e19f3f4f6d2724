import { open, stat } from 'node:fs/promises'

/** Facts that a GGUF file says about itself. */
export interface GgufInfo {
  name: string | undefined
  architecture: string | undefined
  license: string | undefined
  /** The most tokens that the model was trained for. */
  window: number | undefined
  /** Parameters in millions, from the size label such as `135M` or `1.5B`. */
  parameters: number | undefined
  /** Whether it has a chat template: without one it is a base model. */
  canChat: boolean
  /** The memory that the cache takes for each token of a conversation. Undefined if the file does not say enough. */
  cacheBytesPerToken: number | undefined
}

const magic = 'GGUF'
/** The headers of nearly all models are shorter, their vocabulary included. */
const usualHeadBytes = 16 * 1024 * 1024
const mostHeadBytes = 256 * 1024 * 1024

/**
 * Reads the metadata at the beginning of a file. Undefined if it is not a GGUF file, or cannot be read.
 *
 * @example
 * ```ts
 * import { readGguf } from '@colloquy/llama'
 *
 * const info = await readGguf('model.gguf')
 * console.log(info?.architecture, info?.window)
 * ```
 */
export async function readGguf(path: string): Promise<GgufInfo | undefined> {
  try {
    try {
      return infoOf(new GgufReader(await beginningOf(path, usualHeadBytes)).metadata())
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return infoOf(new GgufReader(await beginningOf(path, mostHeadBytes)).metadata())
    }
  } catch {
    return undefined
  }
}

/** Whether a file begins as a GGUF file does, even if the rest of it is damaged. */
export async function beginsAsGguf(path: string): Promise<boolean> {
  return (await beginningOf(path, magic.length)).toString('latin1') === magic
}

async function beginningOf(path: string, most: number): Promise<Buffer> {
  const entry = await stat(path)
  // A pipe or a device has no end.
  if (!entry.isFile()) throw new Error('not a file')
  const file = await open(path)
  try {
    const bytes = Buffer.alloc(Math.min(entry.size, most))
    await file.read(bytes, 0, bytes.length, 0)
    return bytes
  } finally {
    await file.close()
  }
}

function infoOf(values: ReadonlyMap<string, unknown>): GgufInfo {
  const text = (key: string): string | undefined => {
    const value = values.get(key)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const architecture = text('general.architecture')
  const window = values.get(`${architecture}.context_length`)
  return {
    name: text('general.name'),
    architecture,
    license: text('general.license'),
    window: typeof window === 'number' ? window : undefined,
    parameters: millions(text('general.size_label')),
    canChat: text('tokenizer.chat_template') !== undefined,
    cacheBytesPerToken: cacheBytesPerToken(values, architecture),
  }
}

/** Each layer keeps a key and a value for each of its heads, in 16-bit numbers. */
function cacheBytesPerToken(
  values: ReadonlyMap<string, unknown>,
  architecture: string | undefined,
): number | undefined {
  const number = (key: string): number => Number(values.get(`${architecture}.${key}`))
  const heads = number('attention.head_count')
  const kept = values.has(`${architecture}.attention.head_count_kv`) ? number('attention.head_count_kv') : heads
  const keyLength = number('attention.key_length') || number('embedding_length') / heads
  const valueLength = number('attention.value_length') || keyLength
  const bytes = number('block_count') * kept * (keyLength + valueLength) * 2
  return Number.isFinite(bytes) && bytes > 0 ? bytes : undefined
}

/** The millions of parameters of a size label such as `135M`, `1.5B` or `8x7B`. */
export function millions(label: string | undefined): number | undefined {
  const [, times = '1', amount, unit] = /^(?:(\d+)x)?(\d+(?:\.\d+)?) ?([MB])/i.exec(label ?? '') ?? []
  return amount === undefined ? undefined : Number(times) * Number(amount) * (unit!.toUpperCase() === 'B' ? 1000 : 1)
}

/** The types of GGUF values, by their numbers in the file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
const sizes = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
])
const typeText = 8
const typeList = 9

/** Reads the pairs of a GGUF header. Lists, such as the vocabulary, are skipped. */
class GgufReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  metadata(): Map<string, unknown> {
    if (this.#bytes.subarray(0, 4).toString('latin1') !== magic) throw new Error('not a GGUF file')
    this.#at = 4 + 4 + 8
    const values = new Map<string, unknown>()
    for (let count = this.#length(); count > 0; count--) {
      const key = this.#text()
      const value = this.#value(this.#uint32())
      if (value !== undefined) values.set(key, value)
    }
    return values
  }

  #value(type: number): unknown {
    if (type === typeText) return this.#text()
    if (type === typeList) return this.#skipList()
    const size = sizes.get(type)
    if (size === undefined) throw new Error(`unknown type ${type}`)
    const at = this.#at
    this.#at += size
    if (type === 4) return this.#bytes.readUInt32LE(at)
    if (type === 5) return this.#bytes.readInt32LE(at)
    return type === 10 ? Number(this.#bytes.readBigUInt64LE(at)) : undefined
  }

  #skipList(): undefined {
    const type = this.#uint32()
    const count = this.#length()
    const size = sizes.get(type)
    if (size !== undefined) this.#at += size * count
    else for (let left = count; left > 0; left--) this.#value(type)
  }

  #text(): string {
    const length = this.#length()
    if (this.#at + length > this.#bytes.length) throw new RangeError('the header is cut off')
    const text = this.#bytes.toString('utf8', this.#at, this.#at + length)
    this.#at += length
    return text
  }

  #uint32(): number {
    this.#at += 4
    return this.#bytes.readUInt32LE(this.#at - 4)
  }

  #length(): number {
    this.#at += 8
    return Number(this.#bytes.readBigUInt64LE(this.#at - 8))
  }
}
