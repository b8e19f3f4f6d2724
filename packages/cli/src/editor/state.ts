/** What the line editor knows. It is a value: every key makes a new one. */
export interface EditorState {
  text: string
  /** Where the cursor stands, in UTF-16 units; always between two graphemes. */
  cursor: number
  /** The column that up and down keep to, while they follow each other. */
  goal: number | undefined
  /** How wide the lines are shown, for moving up and down in them. */
  columns: number
  /** What the last cut took, for Ctrl-Y. */
  killed: string
  /** What the last key did; several of a kind are undone, or cut, together. */
  last: 'type' | 'kill' | 'move' | undefined
  undone: readonly Snapshot[]
  redone: readonly Snapshot[]
  /** What the marks in the text stand for. */
  pastes: readonly string[]
  /** Oldest first. */
  history: readonly string[]
  /** The entry that is shown; undefined while it is a new text. */
  place: number | undefined
  /** The new text, while an entry is shown. */
  draft: string
  search: Search | undefined
  completions: Completions | undefined
  /** A key that waits for a second one. */
  prefix: 'ctrl-x' | undefined
  /** What whoever runs the editor has to do now. Gone with the next key. */
  intent: Intent | undefined
}

export interface Snapshot {
  text: string
  cursor: number
}

/** A search backwards through the history. */
export interface Search {
  query: string
  /** The entry found; undefined when none was. */
  place: number | undefined
  before: Snapshot
}

export interface Completions {
  /** Where the word begins that they complete. */
  from: number
  items: readonly string[]
  /** The one in the text; undefined while it is only what all of them begin with. */
  chosen: number | undefined
}

export type Intent =
  | { kind: 'submit'; text: string }
  /** Ctrl-C on an empty line. */
  | { kind: 'interrupt' }
  /** Ctrl-D on an empty line. */
  | { kind: 'leave' }
  | { kind: 'escape' }
  | { kind: 'complete' }
  | { kind: 'editor' }
  | { kind: 'redraw' }
  | { kind: 'suspend' }
  | { kind: 'shortcuts' }
  | { kind: 'thinking' }

/** Whether a paste is shown as a mark: more than ten lines, or one that would fill the window. */
export function isLongPaste(text: string): boolean {
  return text.length > 2000 || text.split('\n').length > 10
}

/** The marks: characters that Unicode keeps for a program's own use, so that no text brings them. */
const firstMark = 0xfdd0
export const maxPastes = 32

export function newEditor(history: readonly string[] = [], columns = 80): EditorState {
  return {
    text: '',
    cursor: 0,
    goal: undefined,
    columns,
    killed: '',
    last: undefined,
    undone: [],
    redone: [],
    pastes: [],
    history,
    place: undefined,
    draft: '',
    search: undefined,
    completions: undefined,
    prefix: undefined,
    intent: undefined,
  }
}

export function markOf(paste: number): string {
  return String.fromCharCode(firstMark + paste)
}

export function isMark(character: string): boolean {
  const code = character.charCodeAt(0)
  return code >= firstMark && code < firstMark + maxPastes
}

/** How a mark is shown. */
export function labelOf(mark: string, pastes: readonly string[]): string {
  const paste = mark.charCodeAt(0) - firstMark
  const text = pastes[paste] ?? ''
  const lines = text.split('\n').length
  return `[paste ${paste + 1}: ${lines > 1 ? `${lines} lines` : `${text.length} characters`}]`
}

/** The text with every mark replaced by what was pasted. */
export function expanded({ text, pastes }: Pick<EditorState, 'text' | 'pastes'>): string {
  return text.replace(/[\ufdd0-\ufdef]/g, (mark) => pastes[mark.charCodeAt(0) - firstMark] ?? '')
}

/** Text fit to be edited: line breaks, no other control characters, no marks. Tabs become spaces. */
export function editable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '    ')
    .replace(/(?!\n)\p{Cc}|[\ufdd0-\ufdef]/gu, '')
}
