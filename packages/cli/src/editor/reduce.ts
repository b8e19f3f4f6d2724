import type { Key } from '../terminal/input/keys.ts'
import { graphemes } from '../terminal/width.ts'
import { layout, placeAt } from './layout.ts'
import { after, before, lineEnd, lineStart, spacedWordBefore, wordAfter, wordBefore } from './motion.ts'
import { searchKey, startSearch } from './search.ts'
import {
  editable,
  expanded,
  isLongPaste,
  isMark,
  markOf,
  maxPastes,
  newEditor,
  type EditorState,
  type Intent,
  type Snapshot,
  type ViState,
} from './state.ts'
import { leaveInsert, viInsert, viKey, type ViActions } from './vi.ts'

/** An event for the editor: a key, completions that it asked for, a text that replaces its own, a new width, or other keys. */
export type EditorEvent =
  | Key
  | { name: 'completions'; from: number; items: readonly string[] }
  | { name: 'replace'; text: string }
  | { name: 'columns'; columns: number }
  | { name: 'keys'; keys: 'emacs' | 'vi' }

/** The most steps that can be undone. */
const maxUndo = 200

/** Returns the state after an event. A pure function. */
export function reduce(state: EditorState, event: EditorEvent): EditorState {
  const fresh: EditorState = { ...state, intent: undefined }
  if ('columns' in event) return { ...fresh, columns: Math.max(8, event.columns) }
  if ('keys' in event) return { ...fresh, vi: event.keys === 'vi' ? viInsert : undefined }
  if ('items' in event) return offer(fresh, event.from, event.items)
  if (!('ctrl' in event)) return edit(fresh, { text: editable(event.text), cursor: Infinity }, undefined)
  if (fresh.search !== undefined) return searchKey(fresh, fresh.search, event, reduce)
  if (fresh.completions !== undefined && event.name === 'tab') return cycle(fresh, event.shift ? -1 : 1)
  const plain = { ...fresh, completions: undefined, prefix: undefined }
  const asVi = fresh.vi === undefined ? undefined : viEvent(plain, fresh.vi, event)
  if (asVi !== undefined) return asVi
  if (event.name === 'text') return typed(plain, event.text)
  if (event.name === 'paste') return pasted(plain, event.text)
  if (fresh.prefix === 'ctrl-x' && event.ctrl && event.name === 'e') return intend(plain, { kind: 'editor' })
  const name = `${event.ctrl ? 'ctrl-' : ''}${event.alt ? 'alt-' : ''}${event.name}`
  const act = event.name === 'enter' ? enter : actions[name]
  return act === undefined ? { ...plain, last: undefined } : act(plain, event)
}

/** The key by the mode of vi. Undefined if it means the same as without. */
function viEvent(state: EditorState, vi: ViState, key: Key): EditorState | undefined {
  if (key.ctrl) return undefined
  if (key.alt) {
    // A terminal sends Alt as Esc before the key, so that Esc and a key in quick succession look the same.
    if (key.name.length !== 1 || vi.mode === 'normal') return undefined
    const left = leaveInsert(state, viActions)
    return viKey(left, left.vi!, { ...key, name: 'text', text: key.name, alt: false }, viActions)
  }
  if (vi.mode === 'normal') return viKey(state, vi, key, viActions)
  return key.name === 'escape' ? leaveInsert(state, viActions) : undefined
}

const viActions: ViActions = {
  moveTo,
  replace: (state, start, end, text) =>
    edit(
      state,
      { text: state.text.slice(0, start) + text + state.text.slice(end), cursor: start + text.length },
      undefined,
    ),
  press: (state, name) => actions[name]!(state, { name: '', ctrl: false, alt: false, shift: false } as unknown as Key),
}

const actions: Record<string, (state: EditorState, key: Key) => EditorState> = {
  left: (state) => moveTo(state, before(state.text, state.cursor)),
  'ctrl-b': (state) => moveTo(state, before(state.text, state.cursor)),
  right: (state) => moveTo(state, after(state.text, state.cursor)),
  'ctrl-f': (state) => moveTo(state, after(state.text, state.cursor)),
  'alt-b': (state) => moveTo(state, wordBefore(state.text, state.cursor)),
  'ctrl-left': (state) => moveTo(state, wordBefore(state.text, state.cursor)),
  'alt-left': (state) => moveTo(state, wordBefore(state.text, state.cursor)),
  'alt-f': (state) => moveTo(state, wordAfter(state.text, state.cursor)),
  'ctrl-right': (state) => moveTo(state, wordAfter(state.text, state.cursor)),
  'alt-right': (state) => moveTo(state, wordAfter(state.text, state.cursor)),
  home: (state) => moveTo(state, lineStart(state.text, state.cursor)),
  'ctrl-a': (state) => moveTo(state, lineStart(state.text, state.cursor)),
  end: (state) => moveTo(state, lineEnd(state.text, state.cursor)),
  'ctrl-e': (state) => moveTo(state, lineEnd(state.text, state.cursor)),
  'ctrl-home': (state) => moveTo(state, 0),
  'alt-<': (state) => moveTo(state, 0),
  'ctrl-end': (state) => moveTo(state, state.text.length),
  'alt->': (state) => moveTo(state, state.text.length),
  up: (state) => vertical(state, -1),
  'ctrl-p': (state) => vertical(state, -1),
  down: (state) => vertical(state, 1),
  'ctrl-n': (state) => vertical(state, 1),

  backspace: (state) => erase(state, before(state.text, state.cursor)),
  'ctrl-h': (state) => erase(state, before(state.text, state.cursor)),
  delete: (state) => erase(state, after(state.text, state.cursor)),
  'ctrl-d': (state) =>
    state.text === '' ? intend(state, { kind: 'leave' }) : erase(state, after(state.text, state.cursor)),
  'ctrl-w': (state) => cut(state, spacedWordBefore(state.text, state.cursor)),
  'alt-backspace': (state) => cut(state, wordBefore(state.text, state.cursor)),
  'ctrl-backspace': (state) => cut(state, wordBefore(state.text, state.cursor)),
  'alt-d': (state) => cut(state, wordAfter(state.text, state.cursor)),
  'ctrl-delete': (state) => cut(state, wordAfter(state.text, state.cursor)),
  'ctrl-u': (state) => cut(state, lineStart(state.text, state.cursor)),
  'ctrl-k': (state) => {
    const end = lineEnd(state.text, state.cursor)
    return cut(state, end === state.cursor ? after(state.text, end) : end)
  },
  'ctrl-y': (state) => insert(state, state.killed, undefined),
  'ctrl-t': transpose,
  'alt-u': (state) => changeWord(state, (word) => word.toUpperCase()),
  'alt-l': (state) => changeWord(state, (word) => word.toLowerCase()),
  'alt-c': (state) => changeWord(state, (word) => word.replace(/\p{L}/u, (letter) => letter.toUpperCase())),
  'ctrl-_': undo,
  'alt-_': redo,
  'ctrl-j': (state) => insert(state, '\n', undefined),

  'ctrl-c': (state) =>
    state.text === '' ? intend(state, { kind: 'interrupt' }) : edit(state, { text: '', cursor: 0 }, undefined),
  escape: (state) => intend(state, { kind: 'escape' }),
  tab: (state) => intend(state, { kind: 'complete' }),
  'ctrl-g': (state) => intend(state, { kind: 'editor' }),
  'ctrl-x': (state) => ({ ...state, prefix: 'ctrl-x' }),
  'ctrl-l': (state) => intend(state, { kind: 'redraw' }),
  'ctrl-z': (state) => intend(state, { kind: 'suspend' }),
  'ctrl-o': (state) => intend(state, { kind: 'thinking' }),
  'ctrl-r': startSearch,
  'ctrl-v': (state) => intend(state, { kind: 'image' }),
}

function enter(state: EditorState, { shift, alt, ctrl }: Key): EditorState {
  if (shift || alt || ctrl) return insert(state, '\n', undefined)
  if (state.text[state.cursor - 1] === '\\') {
    const text = `${state.text.slice(0, state.cursor - 1)}\n${state.text.slice(state.cursor)}`
    return edit(state, { text, cursor: state.cursor }, undefined)
  }
  if (state.text.trim() === '') return state
  const text = expanded(state)
  return {
    ...newEditor(state.history, state.columns),
    killed: state.killed,
    vi: state.vi && viInsert,
    intent: { kind: 'submit', text },
  }
}

function typed(state: EditorState, text: string): EditorState {
  if (text === '?' && state.text === '') return intend(state, { kind: 'shortcuts' })
  // One undo step removes a word with the white space before it.
  const continues = state.last === 'type' && /\S/.test(text)
  return insert(state, editable(text), 'type', continues)
}

function pasted(state: EditorState, source: string): EditorState {
  const text = editable(source)
  const mark = state.text[state.cursor - 1] ?? ''
  if (isMark(mark) && expanded({ text: mark, pastes: state.pastes }) === text) {
    const head = state.text.slice(0, state.cursor - 1) + text
    return edit(state, { text: head + state.text.slice(state.cursor), cursor: head.length }, undefined)
  }
  if (!isLongPaste(text) || state.pastes.length >= maxPastes) return insert(state, text, undefined)
  const kept = { ...state, pastes: [...state.pastes, text] }
  return insert(kept, markOf(state.pastes.length), undefined)
}

function insert(state: EditorState, text: string, last: EditorState['last'], continues = false): EditorState {
  if (text === '') return state
  const head = state.text.slice(0, state.cursor) + text
  return edit(state, { text: head + state.text.slice(state.cursor), cursor: head.length }, last, continues)
}

/** Sets the text and remembers the old one for undo. */
function edit(state: EditorState, next: Snapshot, last: EditorState['last'], continues = false): EditorState {
  if (next.text === state.text) return moveTo(state, next.cursor)
  const snapshot = { text: state.text, cursor: state.cursor }
  const undone = continues ? state.undone : [...state.undone.slice(-maxUndo + 1), snapshot]
  return {
    ...state,
    text: next.text,
    cursor: settle(next.text, next.cursor),
    undone,
    redone: [],
    last,
    goal: undefined,
  }
}

/** The next offset between two graphemes. Joining text can turn two graphemes into one. */
function settle(text: string, cursor: number): number {
  const start = lineStart(text, Math.min(cursor, text.length))
  let at = start
  for (const cluster of graphemes(text.slice(start))) {
    if (at >= cursor) return at
    at += cluster.length
  }
  return text.length
}

function moveTo(state: EditorState, cursor: number): EditorState {
  return { ...state, cursor: settle(state.text, cursor), last: 'move', goal: undefined }
}

function erase(state: EditorState, to: number): EditorState {
  const [start, end] = to < state.cursor ? [to, state.cursor] : [state.cursor, to]
  return edit(state, { text: state.text.slice(0, start) + state.text.slice(end), cursor: start }, undefined)
}

function cut(state: EditorState, to: number): EditorState {
  const isBackward = to < state.cursor
  const piece = isBackward ? state.text.slice(to, state.cursor) : state.text.slice(state.cursor, to)
  if (piece === '') return state
  const joined = isBackward ? piece + state.killed : state.killed + piece
  return { ...erase(state, to), killed: state.last === 'kill' ? joined : piece, last: 'kill' }
}

function transpose(state: EditorState): EditorState {
  const middle = state.cursor === lineEnd(state.text, state.cursor) ? before(state.text, state.cursor) : state.cursor
  const start = before(state.text, middle)
  const end = after(state.text, middle)
  const [one, other] = [state.text.slice(start, middle), state.text.slice(middle, end)]
  if (one === '' || other === '' || one === '\n' || other === '\n') return state
  const text = state.text.slice(0, start) + other + one + state.text.slice(end)
  return edit(state, { text, cursor: end }, undefined)
}

function changeWord(state: EditorState, change: (word: string) => string): EditorState {
  const end = wordAfter(state.text, state.cursor)
  const head = state.text.slice(0, state.cursor) + change(state.text.slice(state.cursor, end))
  return edit(state, { text: head + state.text.slice(end), cursor: head.length }, undefined)
}

function undo(state: EditorState): EditorState {
  const snapshot = state.undone.at(-1)
  if (snapshot === undefined) return state
  const redone = [...state.redone, { text: state.text, cursor: state.cursor }]
  return { ...state, ...snapshot, undone: state.undone.slice(0, -1), redone, last: undefined, goal: undefined }
}

function redo(state: EditorState): EditorState {
  const snapshot = state.redone.at(-1)
  if (snapshot === undefined) return state
  const undone = [...state.undone, { text: state.text, cursor: state.cursor }]
  return { ...state, ...snapshot, redone: state.redone.slice(0, -1), undone, last: undefined, goal: undefined }
}

/** Moves up or down between the rows of the text, and from its first and last row through the history. */
function vertical(state: EditorState, step: -1 | 1): EditorState {
  const { rows, row, column } = layout(state.text, state.cursor, state.columns, state.pastes)
  const target = rows[row + step]
  if (target === undefined) return recall(state, (state.place ?? state.history.length) + step)
  const goal = state.goal ?? column
  return { ...moveTo(state, placeAt(target, goal, state.text, state.pastes)), goal }
}

function recall(state: EditorState, place: number): EditorState {
  if (place < 0 || place > state.history.length || (place === state.history.length && state.place === undefined)) {
    return state
  }
  const draft = state.place === undefined ? state.text : state.draft
  const isDraft = place === state.history.length
  const text = isDraft ? draft : (state.history[place] ?? '')
  return { ...edit(state, { text, cursor: text.length }, undefined), place: isDraft ? undefined : place, draft }
}

function offer(state: EditorState, from: number, items: readonly string[]): EditorState {
  if (items.length === 0) return state
  const head = state.text.slice(0, from)
  const tail = state.text.slice(state.cursor)
  const common = commonStart(items)
  const completed = items.length === 1 ? (items[0] ?? '') : common
  if (completed.length < state.cursor - from) return { ...state, completions: { from, items, chosen: undefined } }
  const next = edit(state, { text: head + completed + tail, cursor: (head + completed).length }, undefined)
  return { ...next, completions: items.length === 1 ? undefined : { from, items, chosen: undefined } }
}

function cycle(state: EditorState, step: -1 | 1): EditorState {
  const completions = state.completions
  if (completions === undefined) return state
  const { from, items, chosen } = completions
  const next = chosen === undefined ? (step > 0 ? 0 : items.length - 1) : (chosen + step + items.length) % items.length
  const head = state.text.slice(0, from) + (items[next] ?? '')
  const text = head + state.text.slice(state.cursor)
  const edited = edit(state, { text, cursor: head.length }, undefined, chosen !== undefined)
  return { ...edited, completions: { from, items, chosen: next } }
}

function commonStart(items: readonly string[]): string {
  const first = items[0] ?? ''
  let length = first.length
  for (const item of items) while (!item.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}

function intend(state: EditorState, intent: Intent): EditorState {
  return { ...state, intent, last: undefined }
}
