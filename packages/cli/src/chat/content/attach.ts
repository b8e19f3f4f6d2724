import { type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { contentBlock, type ContentBlockParam, type MessageContentParam } from 'colloquy/protocol'
import type { EngineKind } from '../../engine/engine-kind.ts'
import { UsageError } from '../../exit.ts'
import { fileFacts, withHome } from '../../file-paths.ts'
import type { Flags } from '../../flags.ts'
import { byteText } from '../../format.ts'
import { systemReason } from '../../errors/system-error.ts'

/** A file or web address to send with a message. */
export interface Attachment {
  name: string
  /** Undefined for a web address. */
  bytes: number | undefined
  block: ContentBlockParam
}

/** Reads a file, a web address, or for `-` the piped input. Throws a `UsageError` if it cannot be attached. */
export async function attach(source: string, piped?: Uint8Array): Promise<Attachment> {
  if (source === '-') return attachPiped(piped)
  if (/^https?:/i.test(source)) return { name: source, bytes: undefined, block: await blockAt(source) }
  const path = resolve(withHome(source))
  const found = factsOf(path, source)
  if (found.isDirectory()) throw new UsageError(`Cannot attach ${source}: it is a folder`)
  return { name: source, bytes: found.size, block: await blockOf(path, source) }
}

function factsOf(path: string, source: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    throw new UsageError(`Cannot attach ${source}: ${systemReason(error)}`)
  }
}

/** A web address. Its end tells what is there: the model reads it, and this program does not. */
async function blockAt(url: string): Promise<ContentBlockParam> {
  try {
    return await contentBlock(url)
  } catch {
    throw new UsageError(`Cannot attach ${url}: the address must end in .pdf, .png, .jpg, .gif or .webp`)
  }
}

/** Content that is not a file. Throws a `UsageError` if it cannot be attached. */
export async function attachBytes(bytes: Uint8Array, name: string): Promise<Attachment> {
  return { name, bytes: bytes.length, block: await blockOf(bytes, name) }
}

async function blockOf(content: string | Uint8Array, name: string): Promise<ContentBlockParam> {
  try {
    return await contentBlock(content, typeof content === 'string' ? {} : { title: name })
  } catch (error) {
    const { message, cause } = error as Error
    // The system's reason has the whole path, and words of programs.
    throw new UsageError(cause instanceof Error ? `Cannot attach ${name}: ${systemReason(cause)}` : message)
  }
}

/**
 * Throws a `UsageError` for a picture or a PDF if the engine reads text only. Sent, it would stay in the chat, and every later
 * message would fail.
 */
export function checkReadable(attachments: readonly Attachment[], engine: EngineKind): void {
  if (engine.kind !== 'local') return
  const unread = attachments.find(({ block }) => !isText(block))
  if (unread !== undefined)
    throw new UsageError(`Cannot send ${unread.name}: ${engine.model.title} reads text only. Nothing was sent.`)
}

function isText(block: ContentBlockParam): boolean {
  return block.type === 'document' && (block.source.type === 'text' || block.source.type === 'content')
}

/** The files of `--file` and `--attach`. */
export function sourcesFrom(flags: Flags): string[] {
  return [...flags.texts('file'), ...flags.texts('attach')]
}

async function attachPiped(bytes: Uint8Array | undefined): Promise<Attachment> {
  if (bytes === undefined) throw new UsageError('Cannot attach -: standard input is a terminal')
  return { name: 'standard input', bytes: bytes.length, block: await blockOf(bytes, 'stdin') }
}

/** `notes.md (2.1 KB)`. */
export function attachmentLabel({ name, bytes }: Attachment): string {
  return bytes === undefined ? name : `${name} (${byteText(bytes)})`
}

/** The content of a message: the attachments, then the text. */
export function contentOf(text: string, attachments: readonly Attachment[]): MessageContentParam {
  const blocks = attachments.map(({ block }) => block)
  if (blocks.length === 0) return text
  return text.trim() === '' ? blocks : [...blocks, { type: 'text', text }]
}

/** The existing files that a text mentions as `@path` or `@"path with spaces"`. */
export function mentionedFiles(text: string): string[] {
  const named = [...text.matchAll(/(?<=^|\s)@(?:"([^"]+)"|(\S+))/g)].map((match) => match[1] ?? match[2] ?? '')
  return [...new Set(named.map((name) => (isFile(name) ? name : withoutPunctuation(name))).filter(isFile))]
}

/** A name in a text without the punctuation behind it. */
export function withoutPunctuation(name: string): string {
  return name.replace(/[.,;:!?)]+$/, '')
}

function isFile(path: string): boolean {
  return path !== '' && fileFacts(resolve(withHome(path)))?.isFile() === true
}
