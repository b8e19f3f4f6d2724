import type { Key } from '../terminal/input/keys.ts'
import { graphemes } from '../terminal/width.ts'
import { after, before, lineEnd, lineStart } from './motion.ts'
import type { EditorState, ViState } from './state.ts'

/** The actions of the editor that the keys of vi are made of. */
export interface ViActions {
  moveTo(state: EditorState, cursor: number): EditorState
  /** Replaces a range of the text; what was there can be put back with `p`. */
  replace(state: EditorState, start: number, end: number, text: string): EditorState
  /** Another key of the editor, such as `up`. */
  press(state: EditorState, name: string): EditorState
}

export const viInsert: ViState = { mode: 'insert', pending: '' }

/** Handles a key in normal mode. Returns undefined for a key that means the same in both modes. */
export function viKey(state: EditorState, vi: ViState, key: Key, actions: ViActions): EditorState | undefined {
  if (key.name === 'backspace') return actions.moveTo(state, left(state.text, state.cursor))
  // With nothing to cancel, Esc means the same as without vi.
  if (key.name === 'escape' && vi.pending !== '') return { ...state, vi: { ...vi, pending: '' } }
  if (key.name !== 'text') return undefined
  let next: EditorState = state
  // A fast typist's keys arrive together.
  for (const character of key.text) next = viCharacter(next, character, actions)
  return next
}

/** Leaves insert mode; the cursor steps back, as in vi. */
export function leaveInsert(state: EditorState, actions: ViActions): EditorState {
  const cursor = state.cursor > lineStart(state.text, state.cursor) ? before(state.text, state.cursor) : state.cursor
  return { ...actions.moveTo(state, cursor), vi: { mode: 'normal', pending: '' } }
}

function viCharacter(state: EditorState, character: string, actions: ViActions): EditorState {
  const vi = state.vi!
  if (vi.mode === 'insert') return actions.replace(state, state.cursor, state.cursor, character)
  const typed = vi.pending + character
  const command = /^(?<times>[1-9]\d*)?(?<operator>[dcy])?(?<times2>[1-9]\d*)?(?<motion>[fFtTr].|gg|[^])?$/u
  const { times = '1', times2 = '1', operator, motion } = command.exec(typed)?.groups ?? {}
  const count = Math.min(1000, Number(times) * Number(times2))
  const ready = { ...state, vi: { ...vi, pending: '' } }
  if (motion === undefined || /^[fFtTrg]$/.test(motion)) return { ...state, vi: { ...vi, pending: typed } }
  const done =
    operator === undefined
      ? simple(ready, motion, count, actions)
      : motion === operator
        ? operateOnLines(ready, operator, count, actions)
        : operate(ready, operator, motion, count, actions)
  return done.vi?.mode === 'normal' && done.search === undefined ? onCharacter(done, actions) : done
}

/** In normal mode the cursor stands on a character, and not behind the last one of its line. */
function onCharacter(state: EditorState, actions: ViActions): EditorState {
  const { text, cursor, goal } = state
  const isBehind = cursor === lineEnd(text, cursor) && cursor > lineStart(text, cursor)
  return isBehind ? { ...actions.moveTo(state, before(text, cursor)), goal } : state
}

type Simple = (state: EditorState, actions: ViActions, count: number) => EditorState

const simpleKeys: Record<string, Simple> = {
  i: (state) => insertMode(state),
  a: (state, actions) => insertMode(actions.moveTo(state, right(state.text, state.cursor))),
  I: (state, actions) => insertMode(actions.moveTo(state, firstWord(state.text, state.cursor))),
  A: (state, actions) => insertMode(actions.moveTo(state, lineEnd(state.text, state.cursor))),
  o: (state, actions) => {
    const end = lineEnd(state.text, state.cursor)
    return insertMode(actions.replace(state, end, end, '\n'))
  },
  O: (state, actions) => {
    const start = lineStart(state.text, state.cursor)
    return insertMode(actions.moveTo(actions.replace(state, start, start, '\n'), start))
  },
  x: (state, actions, count) => cut(state, state.cursor, repeated(right, state.text, state.cursor, count), actions),
  X: (state, actions, count) => cut(state, repeated(left, state.text, state.cursor, count), state.cursor, actions),
  s: (state, actions, count) =>
    insertMode(cut(state, state.cursor, repeated(right, state.text, state.cursor, count), actions)),
  D: (state, actions) => cut(state, state.cursor, lineEnd(state.text, state.cursor), actions),
  C: (state, actions) => insertMode(cut(state, state.cursor, lineEnd(state.text, state.cursor), actions)),
  S: (state, actions, count) => operateOnLines(state, 'c', count, actions),
  p: (state, actions) => {
    if (!state.killed.endsWith('\n')) return putAt(state, right(state.text, state.cursor), state.killed, actions)
    const end = lineEnd(state.text, state.cursor)
    return actions.moveTo(putAt(state, end, `\n${state.killed.slice(0, -1)}`, actions), end + 1)
  },
  P: (state, actions) => {
    if (!state.killed.endsWith('\n')) return putAt(state, state.cursor, state.killed, actions)
    const start = lineStart(state.text, state.cursor)
    return actions.moveTo(putAt(state, start, state.killed, actions), start)
  },
  '~': (state, actions) => {
    const end = right(state.text, state.cursor)
    const letter = state.text.slice(state.cursor, end)
    const other = letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()
    return actions.moveTo(actions.replace(state, state.cursor, end, other), end)
  },
  u: (state, actions) => actions.press(state, 'ctrl-_'),
  j: (state, actions) => actions.press(state, 'down'),
  k: (state, actions) => actions.press(state, 'up'),
  '/': (state, actions) => insertMode(actions.press(state, 'ctrl-r')),
}

function simple(state: EditorState, key: string, count: number, actions: ViActions): EditorState {
  const act = simpleKeys[key]
  if (act !== undefined) return act(state, actions, count)
  if (key.startsWith('r')) {
    const end = repeated(right, state.text, state.cursor, count)
    const text = key.slice(1).repeat([...graphemes(state.text.slice(state.cursor, end))].length)
    return actions.moveTo(actions.replace(state, state.cursor, end, text), state.cursor)
  }
  const target = targetOf(state, key, count)
  return target === undefined ? state : actions.moveTo(state, target)
}

function putAt(state: EditorState, at: number, text: string, actions: ViActions): EditorState {
  return actions.replace(state, at, at, text)
}

/** `d`, `c` or `y` over a motion. */
function operate(state: EditorState, operator: string, motion: string, count: number, actions: ViActions): EditorState {
  const { text, cursor } = state
  // As in vi, `cw` leaves the space after the word.
  const moved = operator === 'c' && motion === 'w' ? 'e' : motion
  const target = targetOf(state, moved, count)
  if (target === undefined) return state
  const start = Math.min(cursor, target)
  const to = /^[eft]/.test(moved) ? after(text, target) : Math.max(cursor, target)
  // As in vi, `dw` at the last word of a line leaves the line break.
  const end = /^w/i.test(moved) ? start + text.slice(start, to).replace(/\n\s*$/, '').length : to
  if (operator === 'y') return { ...actions.moveTo(state, start), killed: text.slice(start, end) }
  const done = cut(state, start, end, actions)
  return operator === 'c' ? insertMode(done) : done
}

/** `dd`, `cc` or `yy`: over lines. The text for `p` ends with a line break, so that it becomes lines again. */
function operateOnLines(state: EditorState, operator: string, count: number, actions: ViActions): EditorState {
  const { text, cursor } = state
  const start = lineStart(text, cursor)
  let end = lineEnd(text, cursor)
  for (let line = 1; line < count && end < text.length; line++) end = lineEnd(text, end + 1)
  const killed = `${text.slice(start, end)}\n`
  if (operator === 'y') return { ...state, killed }
  if (operator === 'c') return insertMode({ ...cut(state, start, end, actions), killed })
  // The line break goes too; that of the last line is before it.
  const isLast = end === text.length
  const done = actions.replace(state, isLast ? Math.max(0, start - 1) : start, isLast ? end : end + 1, '')
  return { ...actions.moveTo(done, lineStart(done.text, Math.min(start, done.text.length))), killed }
}

function cut(state: EditorState, start: number, end: number, actions: ViActions): EditorState {
  if (start === end) return state
  const killed = state.text.slice(start, end)
  return { ...actions.moveTo(actions.replace(state, start, end, ''), start), killed }
}

function insertMode(state: EditorState): EditorState {
  return { ...state, vi: viInsert }
}

type Motion = (text: string, cursor: number) => number

const motions: Record<string, Motion> = {
  h: left,
  ' ': right,
  l: right,
  '0': lineStart,
  '^': firstWord,
  $: (text, cursor) => lineEnd(text, cursor),
  w: (text, cursor) => nextWord(text, cursor, false),
  W: (text, cursor) => nextWord(text, cursor, true),
  b: (text, cursor) => wordStart(text, cursor, false),
  B: (text, cursor) => wordStart(text, cursor, true),
  e: (text, cursor) => wordEnd(text, cursor, false),
  E: (text, cursor) => wordEnd(text, cursor, true),
  gg: () => 0,
  G: (text) => text.length,
}

/** The offset that a motion leads to. Undefined if there is no such motion or character. */
function targetOf({ text, cursor }: EditorState, key: string, count: number): number | undefined {
  const motion = motions[key]
  if (motion !== undefined) return repeated(motion, text, cursor, count)
  const [, direction, character] = /^([fFtT])([^])$/u.exec(key) ?? []
  if (direction === undefined) return undefined
  const isForward = direction === 'f' || direction === 't'
  let at = cursor
  for (let found = 0; found < count; found++) {
    at = isForward ? text.indexOf(character!, at + 1) : at > 0 ? text.lastIndexOf(character!, at - 1) : -1
    if (at < 0) return undefined
  }
  if (direction === 't') return before(text, at)
  return direction === 'T' ? after(text, at) : at
}

function repeated(motion: Motion, text: string, cursor: number, count: number): number {
  let at = cursor
  for (let time = 0; time < count; time++) at = motion(text, at)
  return at
}

function left(text: string, cursor: number): number {
  return cursor > lineStart(text, cursor) ? before(text, cursor) : cursor
}

function right(text: string, cursor: number): number {
  return cursor < lineEnd(text, cursor) ? after(text, cursor) : cursor
}

function firstWord(text: string, cursor: number): number {
  const start = lineStart(text, cursor)
  return start + /^[ \t]*/.exec(text.slice(start))![0].length
}

/** Letters, other characters and white space are three kinds of text; with `isBig` the first two are one. */
function kindAt(text: string, at: number, isBig: boolean): 'space' | 'word' | 'other' {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0x20)
  if (/\s/.test(character)) return 'space'
  return isBig || /[\p{L}\p{N}\p{M}_]/u.test(character) ? 'word' : 'other'
}

function nextWord(text: string, cursor: number, isBig: boolean): number {
  const kind = kindAt(text, cursor, isBig)
  let at = cursor
  while (at < text.length && kind !== 'space' && kindAt(text, at, isBig) === kind) at = after(text, at)
  while (at < text.length && kindAt(text, at, isBig) === 'space') at = after(text, at)
  return at
}

function wordStart(text: string, cursor: number, isBig: boolean): number {
  let at = cursor
  while (at > 0 && kindAt(text, before(text, at), isBig) === 'space') at = before(text, at)
  const kind = kindAt(text, before(text, at), isBig)
  while (at > 0 && kindAt(text, before(text, at), isBig) === kind) at = before(text, at)
  return at
}

function wordEnd(text: string, cursor: number, isBig: boolean): number {
  let at = after(text, cursor)
  while (at < text.length && kindAt(text, at, isBig) === 'space') at = after(text, at)
  const kind = kindAt(text, at, isBig)
  while (after(text, at) < text.length && kindAt(text, after(text, at), isBig) === kind) at = after(text, at)
  return Math.min(at, Math.max(0, text.length - 1))
}
