import { countText } from '../../format.ts'
import { languageName } from '../../markdown/code.ts'

/** A fenced code block of a text. */
export interface CodeBlock {
  /** The first word after the opening fence, in lower case; empty if there is none. */
  language: string
  /** The lines between the fences, each with its line break. */
  code: string
}

const opening = /^((?:[ \t]|[-*+][ \t]|\d{1,9}[.)][ \t])*)(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^\s{,:]*)/
const closing = /^[ \t]*(`{3,}|~{3,})[ \t]*$/

/** The fenced code blocks of a text, also those in list items. A block that is not closed ends with the text. */
export function codeBlocks(text: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { fence: string; indent: number; block: CodeBlock } | undefined
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (open === undefined) {
      const [, before = '', fence, language = ''] = opening.exec(line) ?? []
      if (fence === undefined) continue
      open = { fence, indent: before.length, block: { language: language.toLowerCase(), code: '' } }
      blocks.push(open.block)
    } else if (closing.exec(line)?.[1]?.startsWith(open.fence)) open = undefined
    else open.block.code += `${withoutIndent(line, open.indent)}\n`
  }
  return blocks
}

/** The first block in a language, or without one the first block. `py` finds Python; a block marked `py` comes first. */
export function findCode(blocks: readonly CodeBlock[], language: string): CodeBlock | undefined {
  if (language === '') return blocks[0]
  const wanted = language.toLowerCase()
  return (
    blocks.find((block) => block.language === wanted) ??
    blocks.find((block) => languageName(block.language) === languageName(wanted))
  )
}

function withoutIndent(line: string, indent: number): string {
  const own = line.length - line.trimStart().length
  return line.slice(Math.min(indent, own))
}

/** `2 code blocks: python, bash`. */
export function blocksText(blocks: readonly CodeBlock[]): string {
  if (blocks.length === 0) return 'no code block'
  const languages = [...new Set(blocks.map(({ language }) => language || 'one without a language'))]
  return `${countText(blocks.length, 'code block')}: ${languages.join(', ')}`
}
