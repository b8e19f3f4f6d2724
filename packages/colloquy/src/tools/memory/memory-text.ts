import { AnthropicError } from '../../protocol/types/error.ts'

/** The most lines of a file that are shown, as six digits number them. */
const maxLines = 999_999

/** The lines of a file as the model reads them. `range` is the first and the last line, from 1; -1 is the end. */
export function showFile(path: string, text: string, range: readonly number[] | undefined): string {
  const lines = text.split('\n')
  if (lines.length > maxLines) {
    throw new AnthropicError(`File ${path} has too many lines (${lines.length}). Maximum is 999,999 lines.`)
  }
  const [from = 1, to = -1] = range?.length === 2 ? range : []
  const first = Math.max(1, from)
  const shown = lines.slice(first - 1, to === -1 ? lines.length : to)
  return `Here's the content of ${path} with line numbers:\n${numbered(shown, first)}`
}

/** The text with one part replaced. Throws an `AnthropicError` when the part is not there exactly once. */
export function replaceOnce(path: string, text: string, part: string, by: string): { text: string; shown: string } {
  const at = part === '' ? -1 : text.indexOf(part)
  if (at === -1) {
    throw new AnthropicError(`No replacement was performed, old_str \`${part}\` did not appear verbatim in ${path}.`)
  }
  if (text.includes(part, at + 1)) {
    const lines = linesWith(text, part).join(', ')
    throw new AnthropicError(
      `No replacement was performed. Multiple occurrences of old_str \`${part}\` in lines: ${lines}. Please ensure it is unique`,
    )
  }
  const changed = text.slice(0, at) + by + text.slice(at + part.length)
  const line = lineAt(text, at)
  const first = Math.max(1, line - 2)
  const snippet = numbered(changed.split('\n').slice(first - 1, line + 2), first)
  const shown = `The memory file has been edited. Here is the snippet showing the change (with line numbers):\n${snippet}`
  return { text: changed, shown }
}

/** The text with a line after the given one; 0 is the beginning. */
export function insertLine(text: string, after: number, line: string): string {
  const lines = text.split('\n')
  if (!Number.isInteger(after) || after < 0 || after > lines.length) {
    throw new AnthropicError(
      `Invalid \`insert_line\` parameter: ${after}. It should be within the range of lines of the file: [0, ${lines.length}]`,
    )
  }
  return lines.toSpliced(after, 0, line.replace(/\n$/, '')).join('\n')
}

/** A number of bytes in the largest unit that makes it at least 1. */
export function sizeText(bytes: number): string {
  const units = ['B', 'K', 'M', 'G']
  const unit = bytes === 0 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  const size = bytes / 1024 ** unit
  return `${Number.isInteger(size) ? size : size.toFixed(1)}${units[unit]}`
}

function numbered(lines: readonly string[], first: number): string {
  return lines.map((line, index) => `${String(first + index).padStart(6)}\t${line}`).join('\n')
}

function linesWith(text: string, part: string): number[] {
  const found: number[] = []
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) found.push(lineAt(text, at))
  return [...new Set(found)]
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}
