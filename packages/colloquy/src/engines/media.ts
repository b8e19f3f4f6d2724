import { type ImageSize, imageSize as sizeOfBytes, mediaTypeOf as typeOfBytes } from '../protocol/codec/media.ts'

// What a request carries as base64 text is looked into here without decoding more of it than is needed.

const imageHeaderBytes = 256 * 1024
const markBytes = 1024

/** The size that an image's header states. Undefined for what is no image, and for a header that is cut or damaged. */
export function imageSize(base64: string): ImageSize | undefined {
  const bytes = decode(base64, imageHeaderBytes)
  return bytes && sizeOfBytes(bytes)
}

/** The media type that the bytes themselves show: of the images that the API takes, or of a PDF. */
export function mediaType(base64: string): ReturnType<typeof typeOfBytes> {
  const bytes = decode(base64, markBytes)
  return bytes && typeOfBytes(bytes)
}

/** How many bytes a base64 text stands for. */
export function base64Bytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.floor((base64.length * 3) / 4) - padding
}

/** How many pages a PDF has, at least 1: its page objects are counted, which compressed object streams hide. */
export function documentPages(base64: string): number {
  const bytes = decode(base64, Infinity)
  const text = bytes ? new TextDecoder('latin1').decode(bytes) : ''
  return Math.max(1, text.match(/\/Type\s*\/Page\b/g)?.length ?? 0)
}

/** At least the first bytes; undefined when the text is not base64. */
function decode(base64: string, bytes: number): Uint8Array | undefined {
  const length = Math.min(base64.length, Math.ceil(bytes / 3) * 4)
  try {
    return Uint8Array.from(atob(base64.slice(0, length)), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
