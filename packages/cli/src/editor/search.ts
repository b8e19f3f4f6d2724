import type { Key } from '../terminal/input/keys.ts'
import { graphemes } from '../terminal/width.ts'
import { editable, type EditorState, type Search } from './state.ts'

/** Starts a search (Ctrl-R) from the newest entry back. */
export function startSearch(state: EditorState): EditorState {
  const before = { text: state.text, cursor: state.cursor }
  return { ...state, search: { query: '', place: undefined, before } }
}

/** Handles a key during a search. A key that is not part of the search accepts the entry and then has its usual effect. */
export function searchKey(
  state: EditorState,
  search: Search,
  key: Key,
  reduce: (state: EditorState, key: Key) => EditorState,
): EditorState {
  if (key.name === 'text' || key.name === 'paste') {
    const query = search.query + editable(key.text).replaceAll('\n', ' ')
    return found(state, { ...search, query }, search.place ?? state.history.length - 1)
  }
  if (key.name === 'backspace') {
    const query = [...graphemes(search.query)].slice(0, -1).join('')
    return found(state, { ...search, query }, state.history.length - 1)
  }
  if (key.ctrl && key.name === 'r') return found(state, search, (search.place ?? state.history.length) - 1)
  if (key.ctrl && key.name === 's') return foundForward(state, search)
  if (key.name === 'escape' || (key.ctrl && (key.name === 'g' || key.name === 'c'))) {
    return { ...state, ...search.before, search: undefined }
  }
  return reduce({ ...state, search: undefined, place: search.place, draft: search.before.text }, key)
}

function found(state: EditorState, search: Search, from: number): EditorState {
  if (search.query === '') return { ...state, ...search.before, search: { ...search, place: undefined } }
  for (let place = from; place >= 0; place--) {
    if (matches(state.history[place], search.query)) return show(state, search, place)
  }
  // The last match stays on the screen; the line below says that no older line matches.
  return { ...state, search: { ...search, place: undefined } }
}

function foundForward(state: EditorState, search: Search): EditorState {
  for (let place = (search.place ?? -1) + 1; place < state.history.length; place++) {
    if (matches(state.history[place], search.query)) return show(state, search, place)
  }
  return state
}

function show(state: EditorState, search: Search, place: number): EditorState {
  const text = state.history[place] ?? ''
  return { ...state, text, cursor: text.length, search: { ...search, place } }
}

function matches(entry: string | undefined, query: string): boolean {
  return entry?.toLowerCase().includes(query.toLowerCase()) === true
}
