import { open } from 'node:fs/promises'
import { AnthropicError } from 'colloquy/protocol'

const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const endBytes = 22
const longestComment = 65_535

/**
 * Finds the deflated bytes of a member of a ZIP file.
 *
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: the directory stands at the end, and each entry names the place
 * of a header with the data behind it.
 */
export async function zipMember(path: string, name: string): Promise<{ start: number; size: number }> {
  const file = await open(path)
  try {
    const { size: length } = await file.stat()
    const read = async (at: number, bytes: number): Promise<Buffer> => {
      const buffer = Buffer.alloc(bytes)
      await file.read(buffer, 0, bytes, at)
      return buffer
    }
    const tailBytes = Math.min(length, endBytes + longestComment)
    const tail = await read(length - tailBytes, tailBytes)
    const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
    if (end < 0 || tail.readUInt32LE(end) !== endSignature)
      throw new AnthropicError(`Cannot read ${path}: it is not a ZIP file.`)
    const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
    const entry = entryOf(directory, name)
    if (entry === undefined) throw new AnthropicError(`Cannot read ${path}: it has no ${name}.`)
    const header = await read(entry.header, 30)
    return { start: entry.header + 30 + header.readUInt16LE(26) + header.readUInt16LE(28), size: entry.size }
  } finally {
    await file.close()
  }
}

function entryOf(directory: Buffer, name: string): { header: number; size: number } | undefined {
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === entrySignature;) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ]
    if (directory.toString('utf8', at + 46, at + 46 + nameBytes) === name) {
      return { header: directory.readUInt32LE(at + 42), size: directory.readUInt32LE(at + 20) }
    }
    at += 46 + nameBytes + extraBytes + commentBytes
  }
  return undefined
}
