// Images and documents in requests.
import type { CitationsConfigParam } from '../citation.ts'
import type { CacheControlEphemeral } from '../tools/options.ts'
import type { TextBlockParam } from './text.ts'

/** An image in a request. */
export interface ImageBlockParam {
  type: 'image'
  source: Base64ImageSource | URLImageSource | FileImageSource
  transformations?: ImageTransformationsParam | null
  cache_control?: CacheControlEphemeral | null
}

/** How the API handles an image that is too large. */
export interface ImageTransformationsParam {
  oversized_image?: 'downsize' | 'error'
}

/** An image as base64. */
export interface Base64ImageSource {
  type: 'base64'
  media_type: 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp'
  data: string
}

/** An image at a web address. */
export interface URLImageSource {
  type: 'url'
  url: string
}

/** An image that was uploaded through the Files API. */
export interface FileImageSource {
  type: 'file'
  file_id: string
}

/** A document in a request. */
export interface DocumentBlockParam {
  type: 'document'
  source: Base64PDFSource | PlainTextSource | ContentBlockSource | URLPDFSource | FileDocumentSource
  title?: string | null
  /** Tells the model about the document; never cited. */
  context?: string | null
  citations?: CitationsConfigParam | null
  cache_control?: CacheControlEphemeral | null
}

/** A PDF as base64. */
export interface Base64PDFSource {
  type: 'base64'
  media_type: 'application/pdf'
  data: string
}

/** A document of plain text. */
export interface PlainTextSource {
  type: 'text'
  media_type: 'text/plain'
  data: string
}

/** A document of blocks, which are cited as a whole. */
export interface ContentBlockSource {
  type: 'content'
  content: string | ContentBlockSourceContent[]
}

/** A block of such a document. */
export type ContentBlockSourceContent = TextBlockParam | ImageBlockParam

/** A PDF at a web address. */
export interface URLPDFSource {
  type: 'url'
  url: string
}

/** A document that was uploaded through the Files API. */
export interface FileDocumentSource {
  type: 'file'
  file_id: string
}
