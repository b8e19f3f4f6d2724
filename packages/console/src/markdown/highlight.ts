import highlighter from 'highlight.js/lib/core'
import type { LanguageFn } from 'highlight.js'
import { decodeEntities } from '../../../cli/src/markdown/entities.ts'
import { linesPerPart } from './code-lines.ts'

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

/** Divides code into scopes, in parts of some lines each. Undefined if the language is not known. */
export async function highlight(code: string, language: string): Promise<Highlighted[][] | undefined> {
  const word = language.toLowerCase()
  const name = aliases[word] ?? word
  const load = Object.hasOwn(languages, name) ? languages[name] : undefined
  if (!load) return undefined
  if (!highlighter.getLanguage(name)) highlighter.registerLanguage(name, (await load()).default)
  return partsOf(highlighter.highlight(code, { language: name, ignoreIllegals: true }).value)
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
