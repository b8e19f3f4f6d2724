import { type Signal, signal } from '@preact/signals'
import type { AnyBlock } from '../message/content-text.ts'

/** A file that will be sent with the next message. */
export interface Attachment {
  name: string
  bytes: number
  block: AnyBlock
}

/** Files that wait for the next message, by chat. They last as long as the page. */
export const unsentFiles: Signal<Readonly<Record<string, readonly Attachment[]>>> = signal({})

const pictures = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])
/** The largest file: base64 makes it a third longer, and a request may have 32 MB. */
const maxBytes = 20_000_000

/** Reads a file as a content block. Throws an `Error` that says why a file cannot be sent. */
export async function attach(file: File): Promise<Attachment> {
  if (file.size > maxBytes) throw new Error(`Cannot attach ${file.name}: it has more than 20 MB`)
  return { name: file.name, bytes: file.size, block: await blockOf(file) }
}

async function blockOf(file: File): Promise<AnyBlock> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  if (pictures.has(file.type)) {
    return { type: 'image', source: { type: 'base64', media_type: file.type, data: base64(bytes) } }
  }
  if (file.type === 'application/pdf') {
    const source = { type: 'base64', media_type: file.type, data: base64(bytes) }
    return { type: 'document', title: file.name, source }
  }
  return {
    type: 'document',
    title: file.name,
    source: { type: 'text', media_type: 'text/plain', data: textOf(file, bytes) },
  }
}

function textOf(file: File, bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Not UTF-8.
  }
  throw new Error(`Cannot attach ${file.name}: it is neither text, a picture (PNG, JPEG, GIF, WebP) nor a PDF`)
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 32_768) binary += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(binary)
}
