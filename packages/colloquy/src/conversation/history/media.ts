import { imageSize, mediaType } from '../../engines/prompt/media.ts'
import { maxImageBytes, maxImagePixels } from '../../protocol/content/media.ts'

interface MediaSource {
  type: string
  data: string
  media_type: string
}

/**
 * What an image or a document is by its bytes, if the API refuses them: it would refuse every later turn too. Undefined for other
 * blocks, for references, and if nothing is found against the bytes.
 *
 * @param block its fields have the types of the API.
 */
export function mediaFault({ type, source }: { type: string; source?: unknown }): string | undefined {
  const { type: kind, data, media_type: named } = (source ?? {}) as MediaSource
  if (kind !== 'base64') return undefined
  if (type === 'image') return imageFault(data, named)
  const isPdf = named === 'application/pdf' && mediaType(data) === named
  return type !== 'document' || isPdf ? undefined : 'a document that is neither text nor a PDF'
}

function imageFault(data: string, named: string): string | undefined {
  const size = imageSize(data)
  if (size === undefined) return 'an image that cannot be read'
  const found = mediaType(data)
  if (found !== named) return `an image whose media type is ${found}, not ${named}`
  if (data.length > maxImageBytes) return 'an image of more than 10 MB as base64'
  const isLarge = Math.max(size.width, size.height) > maxImagePixels
  return isLarge ? `an image of more than ${maxImagePixels} pixels a side` : undefined
}
