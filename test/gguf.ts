/** A value of a GGUF header. Numbers are 32-bit integers. */
export type GgufValue = string | number | boolean | string[] | number[] | { float: number } | { floats: number[] }

/** A tensor of 32-bit floating-point numbers: `columns` numbers for each row. A vector has one row. */
export interface GgufTensor {
  columns: number
  values: Float32Array
}

const alignment = 32

/** A GGUF file with these pairs and tensors: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
export function gguf(pairs: Record<string, GgufValue>, tensors: Record<string, GgufTensor> = {}): Buffer {
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    int(3),
    long(Object.keys(tensors).length),
    long(Object.keys(pairs).length),
    ...Object.entries(pairs).flatMap(([key, value]) => [text(key), valueOf(value)]),
    ...descriptions(tensors),
  ])
  return Buffer.concat([padded(header), ...Object.values(tensors).map(({ values }) => padded(bytesOf(values)))])
}

function descriptions(tensors: Record<string, GgufTensor>): Buffer[] {
  let offset = 0
  return Object.entries(tensors).map(([name, { columns, values }]) => {
    const rows = values.length / columns
    const sizes = rows === 1 ? [columns] : [columns, rows]
    const at = offset
    offset += padded(bytesOf(values)).length
    return Buffer.concat([text(name), int(sizes.length), ...sizes.map(long), int(0), long(at)])
  })
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (alignment - 1))])
}

function long(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}

function int(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

function text(value: string): Buffer {
  return Buffer.concat([long(Buffer.byteLength(value)), Buffer.from(value)])
}

function valueOf(value: GgufValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([int(8), text(value)])
  if (typeof value === 'number') return Buffer.concat([int(4), int(value)])
  if (typeof value === 'boolean') return Buffer.concat([int(7), Buffer.from([Number(value)])])
  if ('float' in value) return Buffer.concat([int(6), bytesOf(Float32Array.of(value.float))])
  if ('floats' in value)
    return Buffer.concat([int(9), int(6), long(value.floats.length), bytesOf(Float32Array.from(value.floats))])
  const items = value.map((item) => (typeof item === 'string' ? text(item) : int(item)))
  return Buffer.concat([int(9), int(typeof value[0] === 'number' ? 5 : 8), long(value.length), ...items])
}
