import { type ImageSize, imageSize as sizeOfBytes, mediaTypeOf as typeOfBytes } from '../protocol/codec/media.ts'

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
  const bytes = decode(base64, Infinity)
  const text = bytes ? new TextDecoder('latin1').decode(bytes) : ''
  return Math.max(1, text.match(/\/Type\s*\/Page\b/g)?.length ?? 0)
}

/** Decodes at least the given number of bytes. Undefined if the text is not base64. */
function decode(base64: string, bytes: number): Uint8Array | undefined {
  const length = Math.min(base64.length, Math.ceil(bytes / 3) * 4)
  try {
    return Uint8Array.from(atob(base64.slice(0, length)), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
