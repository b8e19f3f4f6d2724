import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EditorState } from '../../editor/state.ts'
import { settings } from '../../config/settings.ts'
import { fileFacts, withHome } from '../../file-paths.ts'
import { commandsLike, slashCommands } from '../slash/table.ts'
import type { ChatView } from './chat-view.ts'

/** Completions of the word before the cursor. */
interface Candidates {
  /** The position in the text where the word begins. */
  from: number
  items: string[]
}

/** The beginning of a line whose next word is a path. */
const pathCommands = /^\/(?:attach|save|export)\s+|^\/system\s+(?=@)/

/** Shows the slash commands that the text may become below the editor. */
export function suggestCommands(view: ChatView): void {
  const { text, completions } = view.editor
  if (!text.startsWith('/') || completions !== undefined) return
  const found = commandsLike(text).slice(0, 7)
  if (found.length === 0) return
  view.hint = found.map(({ name, summary }) => `/${name}  ${summary}`)
  view.touch()
}

/** Lists what a text can mention after `@` beside files. */
export type ListMentions = () => Promise<readonly string[]>

/** Completes the word before the cursor, or shows what it may become. */
export async function completeWord(view: ChatView, mentions: ListMentions): Promise<void> {
  const { text, cursor } = view.editor
  const { from, items } = await candidatesFor({ text, cursor }, mentions)
  // The candidates are for the text before the await; the user may have typed since.
  if (view.editor.text === text && view.editor.cursor === cursor) view.edit({ name: 'completions', from, items })
}

/** Completes a slash command, a model, a path or a mention. */
async function candidatesFor(
  { text, cursor }: Pick<EditorState, 'text' | 'cursor'>,
  mentions: ListMentions,
): Promise<Candidates> {
  const head = text.slice(0, cursor)
  const word = /\S*$/.exec(head)?.[0] ?? ''
  const from = cursor - word.length
  if (from === 0 && word.startsWith('/') && !word.slice(1).includes('/')) {
    const names = slashCommands.map(({ name, synopsis }) => `/${name}${synopsis === undefined ? '' : ' '}`)
    return { from, items: names.filter((name) => name.startsWith(word)) }
  }
  if (/^\/(?:model|retry)\s+\S*$/.test(head)) {
    const names = head.startsWith('/model') ? await replyingNames() : await claudeNames()
    return { from, items: names.filter((name) => name.startsWith(word)) }
  }
  const values = valuesAfter(head)
  if (values !== undefined) return { from, items: values.filter((value) => value.startsWith(word)) }
  if (pathCommands.test(head) && !word.startsWith('@')) return { from, items: pathsLike(word) }
  if (!word.startsWith('@')) return { from, items: [] }
  const typed = word.slice(1)
  const named = (await mentions()).filter((name) => name.startsWith(typed))
  return { from: from + 1, items: [...named, ...pathsLike(typed)] }
}

async function claudeNames(): Promise<string[]> {
  return (await import('colloquy/protocol')).models.map(({ id }) => id)
}

/** The names for `/model`: also those of models on this machine. */
async function replyingNames(): Promise<string[]> {
  const { findCandidates } = await import('../../engine/candidates.ts')
  return [...(await claudeNames()), ...(await findCandidates()).map(({ name }) => name), 'offline']
}

/** The values of a command whose next word is one of a few. */
function valuesAfter(head: string): readonly string[] | undefined {
  if (/^\/theme\s+\S*$/.test(head)) return settings.find(({ name }) => name === 'theme')!.choices
  if (/^\/set\s+\S*$/.test(head)) return ['max_tokens', 'effort', 'cost', 'keys']
  const [, setting] = /^\/set\s+(cost|keys)\s+\S*$/.exec(head) ?? []
  return settings.find(({ name }) => name === setting)?.choices
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
  return fileFacts(path)?.isDirectory() === true
}
