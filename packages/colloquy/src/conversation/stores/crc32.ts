type Crc32 = (text: string, value?: number) => number

/** The CRC-32 of a text in UTF-8. @param value the CRC-32 of what comes before it. */
export const crc32: Crc32 = nativeCrc32() ?? crc32InJavaScript

function nativeCrc32(): Crc32 | undefined {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> }
  return (process?.getBuiltinModule?.('node:zlib') as { crc32?: Crc32 } | undefined)?.crc32
}

/** For runtimes without `node:zlib`, about four times as slow. */
export function crc32InJavaScript(text: string, value = 0): number {
  const table = remainders()
  let crc = ~value
  for (const byte of new TextEncoder().encode(text)) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!
  return ~crc >>> 0
}

let computed: Int32Array | undefined

function remainders(): Int32Array {
  return (computed ??= Int32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
    return remainder
  }))
}
