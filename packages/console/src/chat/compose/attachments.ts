import { type Signal, effect, signal } from '@preact/signals'
import { loadCode } from '../../api/http.ts'
import type { AnyBlock } from '../message/content-text.ts'

/** A file that will be sent with the next message. */
export interface Attachment {
  name: string
  bytes: number
  block: AnyBlock
}

/** Files that wait for the next message, by chat. They last as long as the page. */
export const unsentFiles: Signal<Readonly<Record<string, readonly Attachment[]>>> = signal({})

// A reload would lose them: the browser asks first.
effect(() => {
  const isWaiting = Object.values(unsentFiles.value).some(({ length }) => length > 0)
  onbeforeunload = isWaiting ? (event) => event.preventDefault() : null
})

/** The largest file: base64 makes it a third longer, and a request may have 32 MB. */
const maxBytes = 20_000_000
/** Longer text that is pasted becomes a file: a field with much more holds up the browser at every key. */
const maxPasted = 20_000

/** Changes the files that wait in a chat. */
export function setFiles(id: string, change: (files: readonly Attachment[]) => readonly Attachment[]): void {
  unsentFiles.value = { ...unsentFiles.value, [id]: change(unsentFiles.value[id] ?? []) }
}

/** Reads a file as a content block. Throws an `Error` that says why a file cannot be sent. */
export async function attach(file: File): Promise<Attachment> {
  const { name, size } = file
  if (size > maxBytes) throw new Error(`Cannot attach ${name}: it has more than 20 MB`)
  // Loaded with the first file.
  const { contentBlock } = await loadCode(() => import('../../../../colloquy/src/protocol/content/content.ts'))
  try {
    return { name, bytes: size, block: { ...(await contentBlock(file)) } }
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
    throw new Error(`Cannot attach ${name}: it is a folder, or has changed`, { cause: error })
  }
}

/** The files that are pasted, and long text as one. Empty for text that belongs into the field. */
export function pastedFiles(clipboard: DataTransfer): File[] {
  const { types, files } = clipboard
  // Office programs add a picture of the text.
  const isText = types.includes('text/plain') && (files.length === 0 || types.includes('text/html'))
  if (!isText) return [...files]
  const text = clipboard.getData('text/plain')
  return text.length > maxPasted ? [new File([text], 'pasted.txt')] : []
}

/** The message that has the text and the files. */
export function contentOf(text: string, files: readonly Attachment[]): string | AnyBlock[] {
  if (files.length === 0) return text
  const blocks = files.map(({ block }) => block)
  return text.trim() === '' ? blocks : [...blocks, { type: 'text', text }]
}
