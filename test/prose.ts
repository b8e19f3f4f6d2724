import { read } from './source.ts'
import { lineAt, parseSource, visit, type Syntax } from './syntax.ts'

/** A text that a person reads: a comment, a test title, a string of the program or a paragraph of a page. */
export interface Prose {
  file: string
  /** The line of its first character, from 1. Line ends inside the text are kept, so that later lines can be counted. */
  line: number
  kind: 'comment' | 'title' | 'string' | 'page' | 'heading'
  text: string
}

/** The comments of a TypeScript file and, depending on the file, its test titles or its strings. */
export function proseOfSource(file: string, strings: 'titles' | 'all' | 'none'): Prose[] {
  const syntax = parseSource(file)
  const texts = { titles: titlesOf, all: stringsOf, none: () => [] }[strings](syntax)
  return [...commentsOf(syntax), ...texts]
}

/** Line comments that follow each other directly count as one comment. */
function commentsOf({ file, text, comments }: Syntax): Prose[] {
  const found: Prose[] = []
  let end = -1
  for (const comment of comments) {
    const last = found.at(-1)
    const isContinued = comment.type === 'Line' && /^\n[ \t]*$/.test(text.slice(end, comment.start))
    if (isContinued && last) last.text += `\n${comment.value}`
    else found.push({ file, line: lineAt(text, comment.start), kind: 'comment', text: comment.value })
    end = comment.type === 'Line' ? comment.end : -1
  }
  return found.map((prose) => ({ ...prose, text: withoutCode(prose.text.replaceAll(/^[ \t]*\*+ ?/gm, '')) }))
}

function titlesOf(syntax: Syntax): Prose[] {
  const found: Prose[] = []
  const add = (text: string, start: number): void => {
    found.push({ file: syntax.file, line: lineAt(syntax.text, start), kind: 'title', text })
  }
  visit(syntax, {
    CallExpression({ callee, arguments: [title] }) {
      const name = callee.type === 'MemberExpression' ? callee.object : callee
      if (name.type !== 'Identifier' || !/^(?:test|suite|describe|it)$/.test(name.name)) return
      if (title?.type === 'Literal' && typeof title.value === 'string') add(title.value, title.start)
      if (title?.type === 'TemplateLiteral') add(title.quasis.map(({ value }) => value.cooked).join('_'), title.start)
    },
  })
  return found
}

/** Strings of three words and more: shorter ones are names and keys. */
function stringsOf(syntax: Syntax): Prose[] {
  const found: Prose[] = []
  const add = (text: string, start: number): void => {
    if (!/\S\s+\S+\s+\S/.test(text)) return
    found.push({ file: syntax.file, line: lineAt(syntax.text, start), kind: 'string', text: withoutCode(text) })
  }
  visit(syntax, {
    Literal({ value, start }) {
      if (typeof value === 'string') add(value, start)
    },
    TemplateLiteral({ quasis, start }) {
      add(quasis.map(({ value }) => value.cooked).join('_'), start)
    },
  })
  return found
}

/** The paragraphs, list items, rows and headings of a Markdown page, and the comments of its programs. */
export function proseOfPage(file: string): Prose[] {
  const text = read(file)
  const programs = [...text.matchAll(/^```(?:ts|js|sh)\n([^]*?)^```$/gm)].flatMap(({ 0: block, index }) =>
    [...block.matchAll(/(?<=^|\s)(?:\/\/|#) (.+)$/gm)].map((comment): Prose => ({
      file,
      line: lineAt(text, index + comment.index),
      kind: 'comment',
      text: withoutCode(comment[1]!),
    })),
  )
  const prose = withoutCode(text.replaceAll(/^```[^]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, '')))
  const paragraphs = [...prose.matchAll(/(?:^|(?<=\n))(?:[^\n]+)(?:\n(?![\s]*(?:[-*|#]|\d+\.) ?)[^\n]+)*/g)]
  return [...programs, ...paragraphs.map(({ 0: paragraph, index }) => paragraphOf(file, prose, paragraph, index))]
}

function paragraphOf(file: string, page: string, paragraph: string, index: number): Prose {
  const kind = /^(?:#|\|)/.test(paragraph) ? 'heading' : 'page'
  return { file, line: lineAt(page, index), kind, text: paragraph.replace(/^\s*(?:[-*]|\d+\.) /, '') }
}

/** Puts a placeholder where code stands, without changing the number of lines. */
function withoutCode(text: string): string {
  return text
    .replaceAll(/```[^]*?```/g, (block) => block.replaceAll(/[^\n]/g, ''))
    .replaceAll(/``.+?``|`[^`]*`/g, (code) => `_${code.replaceAll(/[^\n]/g, '')}`)
}
