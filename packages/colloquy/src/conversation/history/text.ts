import { graphemeStart, oneLine } from '../../protocol/text.ts'

/** The readable text of a message: its text blocks and the text of tool results, a line each. */
export function textOf(json: string): string {
  if (json === '') return ''
  const { content } = JSON.parse(json) as { content: unknown }
  return texts(content).join('\n')
}

/** The text of a message for excerpts: with composed letters, and without NUL. Empty if the JSON is not a message. */
function wordsOf(json: string): string {
  try {
    return textOf(json).toWellFormed().replaceAll('\0', ' ').normalize('NFC')
  } catch {
    return ''
  }
}

/** The text of a message as searches compare it. */
export function searchText(json: string): string {
  return foldCase(wordsOf(json))
}

/** A word as searches compare it: composed letters, without regard to case. */
export function foldWord(word: string): string {
  return foldCase(word.normalize('NFC'))
}

/** Lower-case letters with the same upper case as another one, such as ς and σ, or the micro sign and μ. */
const variants = 'µſςϐϑϕϖϰϱϵẛᲀᲁᲂᲃᲄᲅᲆᲇᲈ\u0345\u1fbe'
const variant = new RegExp(`[${variants}]`, 'g')

/** Capital letters that are not the upper case of their lower case. The Kelvin, Ångström and Ohm signs are among them. */
const capitals = 'ẞϴ\u212a\u212b\u2126'

/** The text with one form for the forms of a letter, by the simple case folding of Unicode. Its length changes with İ only. */
export function foldCase(text: string): string {
  return text.toLowerCase().replace(variant, (letter) => letter.toUpperCase().toLowerCase())
}

/** The characters that are equal to this one without regard to case. */
export function caseForms(character: string): string[] {
  const folded = foldCase(character)
  const forms = [character, folded, folded.toUpperCase(), ...variants, ...capitals]
  return [...new Set(forms)].filter((form) => foldCase(form) === folded && Array.from(form).length === 1)
}

function texts(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((block: { type?: unknown; text?: unknown; content?: unknown } | null) => {
    if (block?.type === 'text' && typeof block.text === 'string') return [block.text]
    return block?.type === 'tool_result' ? texts(block.content) : []
  })
}

const around = 60

/** The text around the first occurrence of a folded word in a message, on one line. */
export function excerptOf(json: string, word: string): string {
  const text = wordsOf(json)
  const at = Math.max(0, foldCase(text).indexOf(word))
  const start = graphemeStart(text, at - around)
  const end = graphemeStart(text, at + word.length + around)
  const excerpt = oneLine(text.slice(start, end).toWellFormed())
  return `${start > 0 ? '…' : ''}${excerpt}${end < text.length ? '…' : ''}`
}
