import highlighter from 'highlight.js/lib/core'
import type { LanguageFn } from 'highlight.js'
import { decodeEntities } from '../../../cli/src/markdown/entities.ts'
import { linesOf, linesPerPart } from './code-lines.ts'

/** A piece of code: plain text, or the children of a scope such as `keyword`. */
export type Highlighted = string | { scope: string; children: Highlighted[] }

/** Each language is a file of its own, which is loaded when code in it appears. */
const languages: Record<string, () => Promise<{ default: LanguageFn }>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  elixir: () => import('highlight.js/lib/languages/elixir'),
  go: () => import('highlight.js/lib/languages/go'),
  haskell: () => import('highlight.js/lib/languages/haskell'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  lua: () => import('highlight.js/lib/languages/lua'),
  makefile: () => import('highlight.js/lib/languages/makefile'),
  markdown: () => import('highlight.js/lib/languages/markdown'),
  php: () => import('highlight.js/lib/languages/php'),
  powershell: () => import('highlight.js/lib/languages/powershell'),
  python: () => import('highlight.js/lib/languages/python'),
  r: () => import('highlight.js/lib/languages/r'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  scala: () => import('highlight.js/lib/languages/scala'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
}

const aliases: Record<string, string> = {
  'c++': 'cpp',
  'c#': 'csharp',
  console: 'bash',
  cs: 'csharp',
  docker: 'dockerfile',
  golang: 'go',
  h: 'c',
  html: 'xml',
  js: 'javascript',
  jsonc: 'json',
  jsonl: 'json',
  jsx: 'javascript',
  kt: 'kotlin',
  make: 'makefile',
  md: 'markdown',
  mjs: 'javascript',
  patch: 'diff',
  ps1: 'powershell',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  svg: 'xml',
  toml: 'ini',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
}

/** Code that is divided into scopes. */
export interface Coloured {
  code: string
  language: string
  /** Parts of some lines each. */
  parts: readonly Highlighted[][]
  /** How many of the parts no code that follows can change. */
  finished: number
  /** The length of their code. */
  finishedLength: number
}

/**
 * Divides code into scopes. Undefined if the language is not known.
 *
 * @param before the result for the beginning of the code. Its finished parts are taken over as they are.
 */
export async function highlight(code: string, language: string, before?: Coloured): Promise<Coloured | undefined> {
  const name = await loadLanguage(language)
  if (name === undefined) return undefined
  const isKnown = before?.language === language && code.startsWith(before.code.slice(0, before.finishedLength))
  const parts = isKnown ? before.parts.slice(0, before.finished) : []
  let finishedLength = isKnown ? before.finishedLength : 0
  // A text that is open for many pieces of code is read again only when it is twice as long.
  let nextLength = isKnown ? before.code.length - finishedLength : 0
  let open = ''
  const pause = pauses()
  for (const piece of linesOf(code.slice(finishedLength)).slice(0, -1)) {
    open += piece
    if (open.length < nextLength) continue
    const { read, isClosed } = readCode(open, name)
    nextLength = isClosed ? 0 : open.length * 2
    if (isClosed) {
      parts.push(...read)
      finishedLength += open.length
      open = ''
    }
    await pause()
  }
  const { read } = readCode(code.slice(finishedLength), name)
  return { code, language, parts: [...parts, ...read], finished: parts.length, finishedLength }
}

/** Reads code from a place where nothing is open. `isClosed`: nothing is open at its end. */
function readCode(code: string, language: string): { read: Highlighted[][]; isClosed: boolean } {
  const { value, _top: top } = highlighter.highlight(code, { language, ignoreIllegals: true })
  return { read: partsOf(value), isClosed: top !== undefined && !('parent' in top) }
}

/** Longer work leaves the page time for other things. */
const busyMs = 8

function pauses(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < busyMs) return undefined
    return new Promise((resolve) =>
      setTimeout(() => {
        since = performance.now()
        resolve()
      }),
    )
  }
}

/** The name of a language whose grammar is there. Undefined if it is not known. */
async function loadLanguage(language: string): Promise<string | undefined> {
  const word = language.toLowerCase()
  const name = aliases[word] ?? word
  const load = Object.hasOwn(languages, name) ? languages[name] : undefined
  if (!load) return undefined
  if (!highlighter.getLanguage(name)) highlighter.registerLanguage(name, (await load()).default)
  return name
}

/**
 * Reads the markup of the highlighter, so that none of it has to be given to the browser as HTML. A scope that is open at the
 * end of a part is open in the next one.
 */
function partsOf(markup: string): Highlighted[][] {
  const parts: Highlighted[][] = []
  const scopes: string[] = []
  /** The lists that the open scopes add to, from that of the part on. */
  let open: Highlighted[][] = []
  const enter = (scope: string): void => {
    const children: Highlighted[] = []
    open.at(-1)?.push({ scope, children })
    open.push(children)
  }
  const begin = (): void => {
    const part: Highlighted[] = []
    parts.push(part)
    open = [part]
    for (const scope of scopes) enter(scope)
  }
  let lines = 0
  begin()
  for (const [whole, scope, text] of markup.matchAll(/<span class="([^"]*)">|<\/span>|([^<\n]*\n|[^<\n]+)/g)) {
    if (scope !== undefined) {
      scopes.push(scope)
      enter(scope)
    } else if (text === undefined) {
      scopes.pop()
      open.pop()
    } else {
      if (lines === linesPerPart) begin()
      lines %= linesPerPart
      addText(open.at(-1)!, decodeEntities(text))
      if (whole.endsWith('\n')) lines++
    }
  }
  return parts
}

/** Adds text to a list, as one with the text before it. */
function addText(list: Highlighted[], text: string): void {
  const last = list.at(-1)
  if (typeof last === 'string') list[list.length - 1] = last + text
  else list.push(text)
}
