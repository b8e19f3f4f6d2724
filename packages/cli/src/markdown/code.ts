import type { HLJSApi } from 'highlight.js'
import { createRequire } from 'node:module'
import { decodeEntities } from './entities.ts'
import { paintSpans, type Painter, type Span, type Style } from '../terminal/style.ts'

const require = createRequire(import.meta.url)
let highlighter: HLJSApi | undefined

/** The longest comment or string, in lines. Later lines are coloured as if it had ended. */
const maxContextLines = 200

const aliases: Record<string, string> = {
  'c#': 'csharp',
  'c++': 'cpp',
  cc: 'cpp',
  console: 'bash',
  cs: 'csharp',
  docker: 'dockerfile',
  ex: 'elixir',
  golang: 'go',
  h: 'c',
  hpp: 'cpp',
  hs: 'haskell',
  html: 'xml',
  js: 'javascript',
  json5: 'json',
  jsonc: 'json',
  jsonl: 'json',
  jsx: 'javascript',
  kt: 'kotlin',
  make: 'makefile',
  md: 'markdown',
  mjs: 'javascript',
  objc: 'objectivec',
  patch: 'diff',
  pl: 'perl',
  ps1: 'powershell',
  py: 'python',
  python3: 'python',
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

const styles: Record<string, Style> = {
  addition: { color: 'green' },
  attr: { color: 'cyan' },
  attribute: { color: 'cyan' },
  built_in: { color: 'cyan' },
  comment: { color: 'gray' },
  deletion: { color: 'red' },
  emphasis: { italic: true },
  literal: { color: 'yellow' },
  keyword: { color: 'magenta' },
  link: { underline: true },
  meta: { color: 'gray' },
  name: { color: 'blue' },
  number: { color: 'yellow' },
  quote: { color: 'gray' },
  regexp: { color: 'green' },
  section: { bold: true },
  'selector-class': { color: 'cyan' },
  'selector-id': { color: 'cyan' },
  'selector-tag': { color: 'magenta' },
  string: { color: 'green' },
  strong: { bold: true },
  symbol: { color: 'yellow' },
  tag: { color: 'blue' },
  title: { color: 'blue' },
  type: { color: 'cyan' },
  variable: { color: 'red' },
}

/** Appended to the last line to see whether a comment or string is open there. A private-use character. */
const sentinel = '\ue000'

/** Colours the lines of a code block one by one. The colours of a line depend only on the lines before it. */
export class CodePainter {
  readonly #language: string | undefined
  readonly #paint: Painter
  /** The lines since the last one at whose end no comment or string was open. Earlier lines do not change the colours. */
  #context: string[] = []

  constructor(info: string, paint: Painter) {
    const isPlain = paint('x', { bold: true }) === 'x'
    this.#language = isPlain ? undefined : languageOf(info)
    this.#paint = paint
  }

  line(text: string): string {
    if (this.#language === undefined) return text
    this.#context.push(text)
    const { spans, isOpen } = highlightLast(this.#context, this.#language)
    if (!isOpen || this.#context.length >= maxContextLines) this.#context = []
    return paintSpans(spans, this.#paint)
  }

  /** Colours an unfinished line. Later lines do not depend on it. */
  preview(text: string): string {
    if (this.#language === undefined) return text
    return paintSpans(highlightLast([...this.#context, text], this.#language).spans, this.#paint)
  }
}

/** Longer code is not coloured: the page would have several elements for each of its words. */
const maxColouredLength = 100_000

/** Calls back with each piece of code and the name of what it is, such as `keyword`; undefined for plain text. */
export function colourCode(
  code: string,
  info: string,
  piece: (text: string, name: string | undefined) => string,
): string {
  const language = code.length > maxColouredLength ? undefined : languageOf(info)
  if (language === undefined) return piece(code, undefined)
  const open: string[] = []
  let written = ''
  for (const { className, text } of htmlPieces(code, language)) {
    if (text !== undefined) written += piece(text, open.at(-1))
    else if (className === undefined) open.pop()
    else open.push(nameOf(className))
  }
  return written
}

/** A part of what the highlighter wrote: text, the begin of an element with a class, or the end of one. */
type HtmlPiece = { text?: string; className?: string }

function* htmlPieces(code: string, language: string): Generator<HtmlPiece> {
  if (highlighter === undefined) throw new Error('Cannot highlight before a language was found')
  const { value } = highlighter.highlight(code, { language, ignoreIllegals: true })
  for (const [whole, className, text] of value.matchAll(/<span class="([^"]*)">|<\/span>|([^<]+)/g)) {
    if (text !== undefined) yield { text: decodeEntities(text) }
    else yield whole === '</span>' ? {} : { className: className ?? '' }
  }
}

interface Highlighted {
  spans: Span[]
  /** Whether a comment or string continues on the next line. */
  isOpen: boolean
}

/** Colours the last line, from the HTML of the highlighter. */
function highlightLast(lines: readonly string[], language: string): Highlighted {
  const open: Style[] = []
  let line: Span[] = []
  let last: Span[] = []
  let isOpen = false
  for (const { className, text } of htmlPieces(`${lines.join('\n')}\n${sentinel}`, language)) {
    if (className !== undefined) open.push({ ...open.at(-1), ...styles[nameOf(className)] })
    else if (text === undefined) open.pop()
    else {
      for (const [index, part] of text.split('\n').entries()) {
        if (index > 0) [last, line] = [line, []]
        if (part.includes(sentinel)) isOpen = open.length > 0
        line.push({ text: part, style: open.at(-1) ?? {} })
      }
    }
  }
  return { spans: last, isOpen }
}

function nameOf(className: string): string {
  return /hljs-([\w-]+)/.exec(className)?.[1] ?? ''
}

/** The name by which the highlighter knows a language: `python` for `py`. Words that it does not know stay. */
export function languageName(word: string): string {
  return aliases[word] ?? word
}

/** Loads the highlighter and the language on demand. Undefined if the language is not known. */
function languageOf(info: string): string | undefined {
  const name = languageName((/^[^\s{,:]+/.exec(info)?.[0] ?? '').toLowerCase())
  if (!/^[a-z0-9-]+$/.test(name)) return undefined
  try {
    highlighter ??= require('highlight.js/lib/core') as HLJSApi
    if (highlighter.getLanguage(name) === undefined) {
      highlighter.registerLanguage(name, require(`highlight.js/lib/languages/${name}`) as never)
    }
    return name
  } catch {
    return undefined
  }
}
