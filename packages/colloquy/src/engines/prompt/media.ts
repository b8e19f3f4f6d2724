import { type ImageSize, imageSize as sizeOfBytes, mediaTypeOf as typeOfBytes } from '../../protocol/content/media.ts'
import { atOnce } from '../pieces.ts'

// These functions decode no more of a base64 text than they need.

const imageHeaderBytes = 256 * 1024
const markBytes = 1024

/** Reads the size from an image's header. Undefined for other content and for a truncated or damaged header. */
export function imageSize(base64: string): ImageSize | undefined {
  const bytes = decode(base64, imageHeaderBytes)
  return bytes && sizeOfBytes(bytes)
}

/** The media type of an image that the API accepts or of a PDF, by the bytes. Undefined for other content. */
export function mediaType(base64: string): ReturnType<typeof typeOfBytes> {
  const bytes = decode(base64, markBytes)
  return bytes && typeOfBytes(bytes)
}

/** The number of bytes that a base64 text encodes. */
export function base64Bytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.floor((base64.length * 3) / 4) - padding
}

/** Counts the page objects of a PDF, at least 1. Pages in compressed object streams are not counted. */
export function documentPages(base64: string): number {
  return atOnce(pdfPages(base64))
}

// A multiple of 4, so that each piece is base64 by itself. Takes about 5 ms.
const pieceCharacters = 1024 * 1024
/** Longer than the text that is searched for, unless the PDF has much white space in it. */
const overlap = 64

/** As `documentPages()`, in steps, so that the caller can let other work run during a large document. */
export function* pdfPages(base64: string): Generator<void, number> {
  const encoded = /\s/.test(base64) ? base64.replaceAll(/\s+/g, '') : base64
  let pages = 0
  let rest = ''
  for (let start = 0; start < encoded.length; start += pieceCharacters) {
    const piece = decodeBinary(encoded.slice(start, start + pieceCharacters))
    if (piece === undefined) return 1
    const text = rest + piece
    const end = start + pieceCharacters < encoded.length ? text.length - overlap : text.length
    for (const { index } of text.matchAll(/\/Type\s*\/Page\b/g)) if (index < end) pages++
    rest = text.slice(end)
    yield
  }
  return Math.max(1, pages)
}

/** Decodes at least the given number of bytes. Undefined if the text is not base64. */
function decode(base64: string, bytes: number): Uint8Array | undefined {
  const binary = decodeBinary(base64.slice(0, Math.ceil(bytes / 3) * 4))
  return binary === undefined ? undefined : Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

function decodeBinary(base64: string): string | undefined {
  try {
    return atob(base64)
  } catch {
    return undefined
  }
}
