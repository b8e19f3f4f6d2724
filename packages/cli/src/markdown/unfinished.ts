import { formulaEnd } from './formula/formula-lexer.ts'
import { elementTag } from './lexer/element.ts'

/** An unfinished text, made presentable. */
export interface Closed {
  /** The text with open emphasis, code and links closed. */
  text: string
  /** The part of the source that looks the same whatever text follows. */
  stableEnd: number
}

interface Opener {
  at: number
  /** The characters of the mark in the text. */
  length: number
  /** The part of the mark that is not closed. */
  mark: string
  /** The text that closes the mark. Default: the mark itself. */
  close?: string
}

/**
 * Closes emphasis, code and links that are open at the end, and removes a mark at the very end, so that a reply looks
 * finished while it is being written.
 */
export function closeOpen(source: string): Closed {
  const { text, stableEnd } = closeMarks(source)
  return { text, stableEnd: Math.min(stableEnd, openDollar(source)) }
}

/** The place of the first `$` that may still begin a formula. Until it ends, the text behind it is shown as it is. */
function openDollar(source: string): number {
  const start = source.lastIndexOf('\n') + 1
  for (let at = source.indexOf('$', start); at >= 0;) {
    const end = formulaEnd(source, at)
    if (end === 'open') return at
    at = source.indexOf('$', end ?? at + 1)
  }
  return source.length
}

function closeMarks(source: string): Closed {
  const open: Opener[] = []
  let at = 0
  while (at < source.length) {
    const character = source[at] ?? ''
    const formula = character === '$' || character === '\\' ? formulaEnd(source, at) : undefined
    if (typeof formula === 'number') at = formula
    else if (formula === 'open' && /^(?:\$\$|\\)/.test(source.slice(at, at + 2))) return finish(source, open, at)
    else if (character === '\\') at += 2
    else if (character === '`') {
      const run = runAt(source, at)
      const end = source.indexOf(run, at + run.length)
      if (end < 0) return finish(source, [...open, { at, length: run.length, mark: run }], source.length)
      at = end + run.length
    } else if (character === '[') {
      const link = linkAt(source, at)
      if (link.end === undefined) return finishLink(source, at, link.text, open)
      at = link.end
    } else if (character === '<' && /[a-z/!]/i.test(source[at + 1] ?? '')) {
      const end = source.indexOf('>', at)
      if (end < 0) return finish(source, open, at)
      at = tagAt(source, at, end + 1, open)
    } else if (character === '*' || character === '_' || character === '~') {
      at = emphasisAt(source, at, open)
    } else at++
  }
  return finish(source, open, source.length)
}

function tagAt(source: string, at: number, end: number, open: Opener[]): number {
  const mark = source.slice(at, end)
  const { name, isEnd } = elementTag(mark) ?? {}
  const start = isEnd ? open.findLastIndex((opener) => opener.close === `</${name}>`) : -1
  if (start >= 0) open.length = start
  else if (name !== undefined && !isEnd) open.push({ at, length: mark.length, mark, close: `</${name}>` })
  return end
}

function emphasisAt(source: string, at: number, open: Opener[]): number {
  const run = runAt(source, at)
  const mark = run[0] ?? ''
  const before = source[at - 1] ?? ' '
  const after = source[at + run.length] ?? ''
  const insideWord = mark === '_' && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after)
  if (insideWord || (mark === '~' && run.length !== 2)) return at + run.length
  let rest = run.length
  if (/\S/.test(before)) {
    for (let last = open.at(-1); rest > 0 && last?.mark[0] === mark; last = open.at(-1)) {
      const closed = Math.min(rest, last.mark.length)
      rest -= closed
      last.mark = last.mark.slice(closed)
      if (last.mark === '') open.pop()
    }
  }
  const opens = rest > 0 && (after === '' || /\S/.test(after)) && !(mark === '_' && /[\p{L}\p{N}]/u.test(before))
  if (opens) open.push({ at: at + run.length - rest, length: rest, mark: mark.repeat(rest) })
  return at + run.length
}

/** Finds the end of `[text](address)`, `[text][label]` or `[text]`. Undefined if it is unfinished. */
function linkAt(source: string, at: number): { text: string; end: number | undefined } {
  let depth = 0
  for (let index = at; index < source.length; index++) {
    const character = source[index]
    if (character === '\\') index++
    else if (character === '[') depth++
    else if (character === ']' && --depth === 0) {
      const text = source.slice(at + 1, index)
      const follows = source[index + 1]
      if (follows === undefined) return { text, end: undefined }
      if (follows !== '(' && follows !== '[') return { text, end: index + 1 }
      const end = source.indexOf(follows === '(' ? ')' : ']', index + 2)
      return { text, end: end < 0 ? undefined : end + 1 }
    }
  }
  return { text: source.slice(at + 1), end: undefined }
}

function finishLink(source: string, at: number, text: string, open: Opener[]): Closed {
  const start = source[at - 1] === '!' ? at - 1 : at
  const isFootnote = /^\s|^$|^[xX ]?$/.test(text)
  const shown = isFootnote ? source : source.slice(0, start) + text
  return {
    text: finish(shown, open, shown.length).text,
    stableEnd: Math.min(start, ...open.map((opener) => opener.at)),
  }
}

/** The first character of a tag, a link or a mark of two characters. */
const beginning = /(?:<\/?|!?\[|(?<!~)~)$/

function finish(source: string, open: readonly Opener[], end: number): Closed {
  const stableEnd = Math.min(end, ...open.map((opener) => opener.at))
  let text = source.slice(0, end).replace(beginning, '').trimEnd()
  for (const { at, length, mark, close = mark } of open.toReversed()) {
    // A mark without text after it is not shown: it is not known yet what it marks.
    text = text.length <= at + length ? text.slice(0, at).trimEnd() : text + close
  }
  return { text, stableEnd: Math.min(stableEnd, text.length) }
}

function runAt(source: string, at: number): string {
  let end = at
  while (source[end] === source[at]) end++
  return source.slice(at, end)
}
