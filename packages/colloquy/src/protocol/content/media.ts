export type ImageMediaType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

/** The size of an image, in pixels. */
export interface ImageSize {
  width: number
  height: number
}

// The API's limits: an image's base64 text, and each side of an image.
export const maxImageBytes: number = 10 * 1024 * 1024
export const maxImagePixels = 8000

/** The media type of an image that the API accepts or of a PDF, by the bytes. Undefined for other content. */
export function mediaTypeOf(bytes: Uint8Array): ImageMediaType | 'application/pdf' | undefined {
  if (startsWith(bytes, '\x89PNG\r\n\x1a\n')) return 'image/png'
  if (startsWith(bytes, '\xff\xd8\xff')) return 'image/jpeg'
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return 'image/gif'
  if (startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBP', 8)) return 'image/webp'
  // PDF readers accept the header within the first kilobyte.
  if (ascii(bytes.subarray(0, 1024)).includes('%PDF-')) return 'application/pdf'
  return undefined
}

/** Reads the size from an image's header. Undefined for other content and for a truncated or damaged header. */
export function imageSize(bytes: Uint8Array): ImageSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    switch (mediaTypeOf(bytes)) {
      case 'image/png':
        return { width: view.getUint32(16), height: view.getUint32(20) }
      case 'image/gif':
        return { width: view.getUint16(6, true), height: view.getUint16(8, true) }
      case 'image/webp':
        return webpSize(view)
      case 'image/jpeg':
        return jpegSize(view)
      default:
        return undefined
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

// https://developers.google.com/speed/webp/docs/riff_container
function webpSize(view: DataView): ImageSize | undefined {
  const kind = ascii(new Uint8Array(view.buffer, view.byteOffset + 12, 4))
  if (kind === 'VP8 ') return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  // 24-bit numbers, each one less than the size.
  const sizeAt = (at: number): number => (view.getUint16(at, true) | (view.getUint8(at + 2) << 16)) + 1
  return kind === 'VP8X' ? { width: sizeAt(24), height: sizeAt(27) } : undefined
}

// ISO/IEC 10918-1, B.1: skip segments (a marker and a length) until the frame header, which has the size.
function jpegSize(view: DataView): ImageSize | undefined {
  let at = 2
  while (view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1)
    // C4, C8 and CC are in the range of frame headers but are not frame headers.
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    // Any number of fill bytes may precede a marker.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2)
  }
  return undefined
}

function startsWith(bytes: Uint8Array, mark: string, at = 0): boolean {
  return ascii(bytes.subarray(at, at + mark.length)) === mark
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
