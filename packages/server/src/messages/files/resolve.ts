import { type Engine, inPieces } from 'colloquy/engines'
import { apiError, type MessageParam } from 'colloquy/protocol'
import { checkMedia } from '../validate/media-limits.ts'
import { refuse } from '../validate/schema.ts'
import { encodeBase64, type FileRow, type FileStore } from './file-store.ts'

type Block = Record<string, unknown> & { type: string }

/** The most bytes of all files that a request names, as for a request that holds them itself. */
const mostBytes = 32 * 1024 * 1024
const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']

/** A request whose files were put in, and the characters that they add. */
export interface Resolved<Params> {
  params: Params
  added: number
}

/**
 * A request whose files are in it, or known to be of the workspace: those of an upstream are the upstream's to read. Throws the
 * API's 400, 404 or 413.
 */
export async function withFiles<Params extends { messages: MessageParam[] }>(
  params: Params,
  { files, engine, workspace }: { files: FileStore | undefined; engine: Engine; workspace: string },
): Promise<Resolved<Params>> {
  if (files && !engine.forward) return resolveFiles(params, files, workspace)
  if (files) await checkFiles(params.messages, files, workspace)
  return { params, added: 0 }
}

/**
 * Replaces the `file` sources of images and documents by the files themselves: engines know no files. Throws the API's 400,
 * 404 or 413.
 */
async function resolveFiles<Params extends { messages: MessageParam[] }>(
  params: Params,
  files: FileStore,
  workspace: string,
): Promise<Resolved<Params>> {
  if (!params.messages.some(({ content }) => namesFiles(content))) return { params, added: 0 }
  const resolver = new Resolver(files, workspace)
  const messages: MessageParam[] = []
  for (const message of params.messages)
    messages.push({ ...message, content: (await resolver.resolve(message.content)) as MessageParam['content'] })
  await inPieces(checkMedia(messages, 600))
  return { params: { ...params, messages }, added: resolver.added }
}

function namesFiles(content: unknown): boolean {
  if (!Array.isArray(content)) return false
  return (content as Block[]).some((block) => isFile(block) || namesFiles(block['content']))
}

function isFile({ type, source }: Block): boolean {
  return (type === 'image' || type === 'document') && (source as Block).type === 'file'
}

class Resolver {
  readonly #files: FileStore
  readonly #workspace: string
  added = 0

  constructor(files: FileStore, workspace: string) {
    this.#files = files
    this.#workspace = workspace
  }

  /** The content with its files, also inside of tool results. */
  async resolve(content: unknown): Promise<unknown> {
    if (!namesFiles(content)) return content
    const blocks: Block[] = []
    for (const block of content as Block[]) {
      if (isFile(block)) blocks.push({ ...block, source: await this.#sourceOf(block) })
      else if (namesFiles(block['content'])) blocks.push({ ...block, content: await this.resolve(block['content']) })
      else blocks.push(block)
    }
    return blocks
  }

  async #sourceOf({ type, source }: Block): Promise<object> {
    const row = await this.#files.get(this.#workspace, (source as { file_id: string }).file_id)
    this.added += Math.ceil((row.bytes * 4) / 3)
    if (this.added > mostBytes)
      throw apiError('request_too_large', `The files of the request exceed the maximum size of ${mostBytes} bytes`)
    const mediaType = row.media_type.split(';')[0]!.trim()
    if (type === 'image' ? imageTypes.includes(mediaType) : mediaType === 'application/pdf')
      return { type: 'base64', media_type: mediaType, data: await this.#base64Of(row) }
    if (type === 'document' && mediaType.startsWith('text/'))
      return { type: 'text', media_type: 'text/plain', data: textOf(await this.#bytesOf(row), row.id) }
    return refuse('', `The file ${row.id} is of type ${mediaType}, which a block of type ${type} cannot hold`)
  }

  async #base64Of(row: FileRow): Promise<string> {
    return encodeBase64(await this.#bytesOf(row))
  }

  async #bytesOf(row: FileRow): Promise<Uint8Array> {
    const bytes = new Uint8Array(row.bytes)
    let at = 0
    for await (const part of this.#files.read(row)) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }
}

function textOf(bytes: Uint8Array, id: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refuse('', `The file ${id} is not UTF-8`)
  }
}

/**
 * Checks that the files which a request names belong to the workspace, in a request that is sent on as it is. Throws the API's
 * 404.
 */
export async function checkFiles(messages: unknown, files: FileStore, workspace: string): Promise<void> {
  for (const id of fileIds(messages)) await files.get(workspace, id)
}

function fileIds(messages: unknown): Set<string> {
  const found = new Set<string>()
  const waiting: unknown[] = [messages]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value !== 'object' || value === null) continue
    const { file_id: id } = value as { file_id?: unknown }
    if (typeof id === 'string') found.add(id)
    waiting.push(...Object.values(value))
  }
  return found
}
