import { readFileSync } from 'node:fs'

/** Reads a text file that the user wrote or exported. Throws the system's error if it cannot be read. */
export function readText(path: string): string {
  return textIn(readFileSync(path))
}

/**
 * The text in a file or a pipe: UTF-8, or UTF-16 if it begins with its mark, as `>` of Windows PowerShell writes it. A byte order
 * mark is left out.
 */
export function textIn(bytes: Uint8Array): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe
  return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes)
}
