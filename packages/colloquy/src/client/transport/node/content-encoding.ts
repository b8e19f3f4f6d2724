import type { NodeDecoder, NodeZlib } from './modules.ts'
import { builtin } from '../runtime.ts'

/**
 * The encodings of a body in the order in which they are decoded. None if one of them is not known: the bytes are then read as
 * they are, as by `fetch`.
 */
export function encodingsOf(header: string | null): string[] {
  if (!header) return []
  const names = header.split(',').map((name) => name.trim().toLowerCase())
  const encodings = names.filter((name) => name !== '' && name !== 'identity').toReversed()
  const hasZstd = 'createZstdDecompress' in (builtin('node:zlib') as NodeZlib)
  const known = ['gzip', 'x-gzip', 'deflate', 'br', ...(hasZstd ? ['zstd'] : [])]
  return encodings.every((name) => known.includes(name)) ? encodings : []
}

/** A decoder for a body; `first` is its beginning, if that is known. */
export function decoderOf(encoding: string, first: Uint8Array | undefined): NodeDecoder {
  const zlib = builtin('node:zlib') as NodeZlib
  if (encoding === 'br') return zlib.createBrotliDecompress()
  if (encoding === 'zstd') return zlib.createZstdDecompress!()
  // `deflate` should be in the zlib format, whose first byte is this. Some servers send it raw.
  const isRaw = encoding === 'deflate' && first !== undefined && (first[0]! & 0x0f) !== 8
  return isRaw ? zlib.createInflateRaw() : zlib.createUnzip()
}
