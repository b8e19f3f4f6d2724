/** The state of the line editor. A value: every event makes a new one. */
export interface EditorState {
  text: string
  /** The cursor's offset in UTF-16 units, always between two graphemes. */
  cursor: number
  /** The column to return to during a series of up and down keys. */
  goal: number | undefined
  /** The width of the rows. */
  columns: number
  /** The text that Ctrl-Y inserts. */
  killed: string
  /** The kind of the last change. Typed characters are undone together; several cuts are pasted together. */
  last: 'type' | 'kill' | 'move' | undefined
  undone: readonly Snapshot[]
  redone: readonly Snapshot[]
  /** The texts that the marks in `text` stand for. */
  pastes: readonly string[]
  /** The lines typed before, oldest first. */
  history: readonly string[]
  /** The index of the history entry in the editor; undefined for a new text. */
  place: number | undefined
  /** The new text while a history entry is in the editor. */
  draft: string
  search: Search | undefined
  completions: Completions | undefined
  /** A key that waits for a second key. */
  prefix: 'ctrl-x' | undefined
  /** The mode of the keys of vi; undefined for those of Emacs. */
  vi: ViState | undefined
  /** An action for the program. Removed by the next event. */
  intent: Intent | undefined
}

/** The keys of vi: what the editor knows besides its text. */
export interface ViState {
  mode: 'insert' | 'normal'
  /** The keys of a command that is not complete, such as `2d`. */
  pending: string
}

export interface Snapshot {
  text: string
  cursor: number
}

/** A search in the history. */
export interface Search {
  query: string
  /** The index of the match; undefined if there is none. */
  place: number | undefined
  before: Snapshot
}

export interface Completions {
  /** The offset of the word that they complete. */
  from: number
  items: readonly string[]
  /** The index of the completion in the text; undefined while the text has only their common beginning. */
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
  /** Ctrl-V: the clipboard may have an image, which a terminal does not paste. */
  | { kind: 'image' }
  | { kind: 'editor' }
  | { kind: 'redraw' }
  | { kind: 'suspend' }
  | { kind: 'shortcuts' }
  | { kind: 'thinking' }

/** Whether a paste is shown as a mark: if it has more than 10 lines or 2,000 characters. */
export function isLongPaste(text: string): boolean {
  return text.length > 2000 || text.split('\n').length > 10
}

/** The marks are Unicode noncharacters: they are reserved for internal use and removed from all typed and pasted text. */
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
    vi: undefined,
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

/** The label of a mark on the screen. */
export function labelOf(mark: string, pastes: readonly string[]): string {
  const paste = mark.charCodeAt(0) - firstMark
  const text = pastes[paste] ?? ''
  const lines = text.replace(/\n$/, '').split('\n').length
  return `[paste ${paste + 1}: ${lines > 1 ? `${lines} lines` : `${text.length} characters`}]`
}

/** The text with each mark replaced by its paste. */
export function expanded({ text, pastes }: Pick<EditorState, 'text' | 'pastes'>): string {
  return text.replace(/[\ufdd0-\ufdef]/g, (mark) => pastes[mark.charCodeAt(0) - firstMark] ?? '')
}

/** Text for the editor: without marks and control characters other than line breaks. Tabs become spaces. */
export function editable(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '    ')
    .replace(/(?!\n)\p{Cc}|[\ufdd0-\ufdef]/gu, '')
}
