/** A GGUF header with these pairs. */
export function gguf(pairs: Record<string, string | number | string[]>): Buffer {
  const long = (value: number): Buffer => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigUInt64LE(BigInt(value))
    return buffer
  }
  const int = (value: number): Buffer => {
    const buffer = Buffer.alloc(4)
    buffer.writeUInt32LE(value)
    return buffer
  }
  const text = (value: string): Buffer => Buffer.concat([long(Buffer.byteLength(value)), Buffer.from(value)])
  const valueOf = (value: string | number | string[]): Buffer => {
    if (typeof value === 'string') return Buffer.concat([int(8), text(value)])
    if (typeof value === 'number') return Buffer.concat([int(4), int(value)])
    return Buffer.concat([int(9), int(8), long(value.length), ...value.map(text)])
  }
  const entries = Object.entries(pairs).map(([key, value]) => Buffer.concat([text(key), valueOf(value)]))
  return Buffer.concat([Buffer.from('GGUF'), int(3), long(0), long(entries.length), ...entries])
}
