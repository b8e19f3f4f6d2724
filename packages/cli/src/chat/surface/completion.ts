import { readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { EditorState } from '../editor/state.ts'
import { slashCommands } from './slash.ts'

/** What the word before the cursor may become: a command, a model, a path. */
export interface Candidates {
  from: number
  items: string[]
}

/** Commands whose argument is a path, and what it begins with when it is one. */
const pathCommands = /^\/(?:attach|save|export)\s+|^\/system\s+(?=@)/

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
  const mark = word.startsWith('@') ? '@' : ''
  if (mark === '' && !pathCommands.test(head)) return { from, items: [] }
  return { from: from + mark.length, items: pathsLike(word.slice(mark.length)) }
}

/** The files and folders that a path may go on as; hidden ones only where a dot was typed. */
function pathsLike(typed: string): string[] {
  const folder = typed.endsWith('/') ? typed : typed.includes('/') ? `${dirname(typed)}/`.replace('//', '/') : ''
  const start = typed.slice(folder.length)
  const place = folder.replace(/^~(?=\/)/, homedir()) || '.'
  try {
    return readdirSync(place)
      .filter((name) => name.startsWith(start) && (start.startsWith('.') || !name.startsWith('.')))
      .filter((name) => !/\s/.test(name))
      .toSorted()
      .map((name) => `${folder}${name}${isFolder(join(place, name)) ? '/' : ''}`)
  } catch {
    return []
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
