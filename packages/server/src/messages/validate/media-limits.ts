import { imageSize, mediaType, pdfPages } from 'colloquy/engines'
import type { MessageParam } from 'colloquy/protocol'
import { blocksOf } from './messages.ts'
import { refuse } from './schema.ts'

type Block = Record<string, unknown> & { type: string }

interface Media {
  block: Block
  path: string
}

const maxImageBytes = 10 * 1024 * 1024
const maxEdge = 8_000
/** If a request has more than `manyImages`, each may be at most `maxEdgeOfMany` wide and high. */
const manyImages = 20
const maxEdgeOfMany = 2_000

/** Checks the bytes of images and PDFs, as the API does before it passes them to the model. */
export function* checkMedia(messages: readonly MessageParam[], maxPages: number): Generator<void> {
  const media: Media[] = []
  for (const [index, message] of messages.entries()) {
    if (typeof message.content !== 'string')
      for (const each of mediaIn(blocksOf(message), `messages.${index}.content`)) media.push(each)
    yield
  }
  for (const { block } of media) checkUrl(block.source as Block)
  const images = media.filter(({ block }) => block.type === 'image')
  for (const { block, path } of images) {
    checkImage(block.source as Block, `${path}.image.source`, images.length)
    yield
  }
  let pages = 0
  for (const { block } of media) {
    const source = block.source as Block
    if (block.type !== 'document' || source.type !== 'base64') continue
    const data = String(source.data)
    if (mediaType(data) !== 'application/pdf') refuse('', 'The PDF specified was not valid.')
    pages += yield* pdfPages(data)
  }
  if (pages > maxPages) refuse('', `A maximum of ${maxPages} PDF pages may be provided.`)
}

function* mediaIn(blocks: readonly Block[], path: string): Generator<Media> {
  for (const [index, block] of blocks.entries()) {
    if (block.type === 'text') continue
    const at = `${path}.${index}`
    if (block.type === 'image' || block.type === 'document') yield { block, path: at }
    if (block.type === 'tool_result' && Array.isArray(block.content))
      yield* mediaIn(block.content as Block[], `${at}.tool_result.content`)
    const source = block.source as Block | undefined
    if (block.type === 'document' && Array.isArray(source?.content))
      yield* mediaIn(source.content as Block[], `${at}.document.source.content`)
  }
}

/** The API fetches images and documents by HTTPS only. */
function checkUrl({ type, url }: Block): void {
  if (type === 'url' && !/^https:\/\//i.test(String(url))) refuse('', 'Only HTTPS URLs are supported.')
}

function checkImage(source: Block, path: string, images: number): void {
  if (source.type !== 'base64') return
  const data = String(source.data)
  const at = `${path}.base64.data`
  if (data.length > maxImageBytes)
    refuse(at, `image exceeds 10 MB maximum: ${data.length} bytes > ${maxImageBytes} bytes`)
  const actual = mediaType(data)
  const size = imageSize(data)
  if (!actual || !size) refuse('', 'Could not process image')
  if (actual !== source.media_type)
    refuse(at, `Image does not match the provided media type ${String(source.media_type)}`)
  const longest = Math.max(size.width, size.height)
  if (longest > maxEdge) refuse(at, `At least one of the image dimensions exceed max allowed size: ${maxEdge} pixels`)
  if (images > manyImages && longest > maxEdgeOfMany)
    refuse(
      at,
      `At least one of the image dimensions exceed max allowed size for many-image requests: ${maxEdgeOfMany} pixels`,
    )
}
