import { mediaType } from '../../../engines/prompt/media.ts'
import { dataIn, type SourceBlock, toBlock } from '../blocks.ts'
import { printed } from '../values.ts'

/** A picture or a file in a message of another program. */
export interface GivenMedia {
  /** An address, a data URL or base64. */
  data: unknown
  /** The media type. `image/*` or missing: that of the bytes. */
  type?: unknown
  title?: unknown
}

/** The block for a picture, a PDF or a text. One that the API does not take is left out later, with a note. */
export function mediaBlock({ data: given, type: named, title }: GivenMedia): SourceBlock {
  const text = printed(given)
  const inUrl = dataIn(text)
  const isUrl = inUrl.data === undefined && /^[a-z][a-z\d+.-]*:/i.test(text)
  const { data = text } = inUrl
  const type = typeIn(printed(named ?? inUrl.type ?? ''), isUrl ? undefined : data)
  if (type.startsWith('image/')) return toBlock({ type: 'image', source: sourceOf(isUrl, type, data) })
  const plain = type.startsWith('text/') && !isUrl ? textIn(data) : undefined
  const source =
    plain === undefined ? sourceOf(isUrl, type, data) : { type: 'text', media_type: 'text/plain', data: plain }
  return toBlock({ type: 'document', source, ...(typeof title === 'string' && title !== '' && { title }) })
}

function typeIn(named: string, data: string | undefined): string {
  const isNamed = named !== '' && !named.endsWith('/*')
  return isNamed || data === undefined ? named : (mediaType(data) ?? named)
}

function sourceOf(isUrl: boolean, type: string, data: string): object {
  return isUrl ? { type: 'url', url: data } : { type: 'base64', media_type: type, data }
}

function textIn(base64: string): string | undefined {
  try {
    const binary = atob(base64)
    const bytes = new Uint8Array(binary.length)
    for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
    return new TextDecoder().decode(bytes)
  } catch {
    return undefined
  }
}
