import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EditorState } from '../../editor/state.ts'
import { withHome } from '../attach.ts'
import { slashCommands } from '../slash/table.ts'

/** Completions of the word before the cursor. */
export interface Candidates {
  /** The position in the text where the word begins. */
  from: number
  items: string[]
}

/** The beginning of a line whose next word is a path. */
const pathCommands = /^\/(?:attach|save|export)\s+|^\/system\s+(?=@)/

/** Completes a slash command, a model or a path. */
export async function candidatesFor({ text, cursor }: Pick<EditorState, 'text' | 'cursor'>): Promise<Candidates> {
  const head = text.slice(0, cursor)
  const word = /\S*$/.exec(head)?.[0] ?? ''
  const from = cursor - word.length
  if (from === 0 && word.startsWith('/') && !word.slice(1).includes('/')) {
    const names = slashCommands.map(({ name, synopsis }) => `/${name}${synopsis === undefined ? '' : ' '}`)
    return { from, items: names.filter((name) => name.startsWith(word)) }
  }
  if (/^\/(?:model|retry)\s+\S*$/.test(head)) {
    const { models } = await import('colloquy/protocol')
    return { from, items: models.map(({ id }) => id).filter((id) => id.startsWith(word)) }
  }
  const prefix = word.startsWith('@') ? '@' : ''
  if (prefix === '' && !pathCommands.test(head)) return { from, items: [] }
  return { from: from + prefix.length, items: pathsLike(word.slice(prefix.length)) }
}

/**
 * The paths that begin with the typed text. Hidden files only if a dot was typed, and no names with white space or control
 * characters.
 */
function pathsLike(typed: string): string[] {
  const folder = typed.endsWith('/') ? typed : typed.includes('/') ? `${dirname(typed)}/`.replace('//', '/') : ''
  const start = typed.slice(folder.length)
  const place = withHome(folder) || '.'
  try {
    return readdirSync(place)
      .filter((name) => name.startsWith(start) && (start.startsWith('.') || !name.startsWith('.')))
      .filter((name) => !/[\s\p{Cc}\p{Bidi_Control}]/u.test(name))
      .toSorted()
      .map((name) => `${folder}${name}${isFolder(join(place, name)) ? '/' : ''}`)
  } catch {
    return []
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
