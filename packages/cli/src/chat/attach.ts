import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { AnthropicError, contentBlock, type ContentBlockParam } from 'colloquy/protocol'
import { UsageError } from '../exit.ts'

/** A file that goes along with a message. */
export interface Attachment {
  name: string
  bytes: number | undefined
  block: ContentBlockParam
}

/** Reads a file, a web address, or with `-` what is piped in. Throws `UsageError` for what cannot be attached. */
export async function attach(source: string, piped?: () => Promise<Uint8Array>): Promise<Attachment> {
  try {
    if (source === '-') {
      if (piped === undefined) throw new AnthropicError('nothing is piped in')
      const bytes = await piped()
      return { name: 'standard input', bytes: bytes.length, block: await contentBlock(bytes, { title: 'stdin' }) }
    }
    if (/^https?:/i.test(source)) return { name: source, bytes: undefined, block: await contentBlock(source) }
    const path = resolve(source.replace(/^~(?=\/|$)/, homedir()))
    if (!existsSync(path)) throw new AnthropicError('no such file')
    if (statSync(path).isDirectory()) throw new AnthropicError('it is a folder')
    return { name: source, bytes: statSync(path).size, block: await contentBlock(path) }
  } catch (error) {
    throw new UsageError(`Cannot attach ${source}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** `notes.md (2.1 KB)`. */
export function attachmentLabel({ name, bytes }: Attachment): string {
  return bytes === undefined ? name : `${name} (${sizeText(bytes)})`
}

/** The files that a text names with `@path`: those that are there. */
export function mentionedFiles(text: string): string[] {
  const named = [...text.matchAll(/(?<=^|\s)@(?:"([^"]+)"|(\S+))/g)].map((match) => match[1] ?? match[2] ?? '')
  return [...new Set(named.map((name) => (isFile(name) ? name : name.replace(/[.,;:!?)]+$/, ''))).filter(isFile))]
}

function isFile(path: string): boolean {
  return (
    path !== '' && statSync(resolve(path.replace(/^~(?=\/)/, homedir())), { throwIfNoEntry: false })?.isFile() === true
  )
}

function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} KB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
