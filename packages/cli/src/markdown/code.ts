import type { HLJSApi } from 'highlight.js'
import { createRequire } from 'node:module'
import { paintSpans, type Painter, type Span, type Style } from '../terminal/style.ts'

const require = createRequire(import.meta.url)
let highlighter: HLJSApi | undefined

/** How far back a line's colours look: far enough for most comments and strings, and bounded however long the code is. */
const contextLines = 100

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
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
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

/** Colours the lines of one block of code as they come. A line's colours depend on the lines before it alone. */
export class CodePainter {
  readonly #language: string | undefined
  readonly #paint: Painter
  #lines: string[] = []
  #start = 0

  constructor(info: string, paint: Painter) {
    const isPlain = paint('x', { bold: true }) === 'x'
    this.#language = isPlain ? undefined : languageOf(info)
    this.#paint = paint
  }

  line(text: string): string {
    if (this.#language === undefined) return text
    // Dropped a hundred at a time, so that the context always begins at the same line, however the text was cut.
    if (this.#lines.length - this.#start >= 2 * contextLines) this.#start += contextLines
    this.#lines.push(text)
    return paintSpans(highlightLast(this.#lines.slice(this.#start), this.#language), this.#paint)
  }

  /** What the line would look like, without keeping it: it is still being written. */
  preview(text: string): string {
    if (this.#language === undefined) return text
    return paintSpans(highlightLast([...this.#lines.slice(this.#start), text], this.#language), this.#paint)
  }
}

function highlightLast(lines: readonly string[], language: string): Span[] {
  if (highlighter === undefined) throw new Error('Cannot highlight before a language was found')
  const { value } = highlighter.highlight(lines.join('\n'), { language, ignoreIllegals: true })
  return lastLine(value)
}

/** Reads the spans of the last line off the highlighter's HTML, whose only tags are `<span class>` and its end. */
function lastLine(html: string): Span[] {
  const open: Style[] = []
  let spans: Span[] = []
  for (const [whole, className, text] of html.matchAll(/<span class="([^"]*)">|<\/span>|([^<]+)/g)) {
    if (text !== undefined) {
      const style = open.at(-1) ?? {}
      const lines = unescape(text).split('\n')
      if (lines.length > 1) spans = []
      spans.push({ text: lines.at(-1) ?? '', style })
    } else if (whole === '</span>') open.pop()
    else open.push({ ...open.at(-1), ...styleOf(className ?? '') })
  }
  return spans
}

function styleOf(className: string): Style {
  const name = /hljs-([\w-]+)/.exec(className)?.[1] ?? ''
  return styles[name] ?? {}
}

function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&')
}

/** Loads the highlighter with the first code and each language with its first block: a chat without code pays nothing. */
function languageOf(info: string): string | undefined {
  const word = (/^[^\s{,:]+/.exec(info)?.[0] ?? '').toLowerCase()
  const name = aliases[word] ?? word
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
