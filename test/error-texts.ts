import { sources } from './source.ts'
import { parseSource, visit } from './syntax.ts'

/** A text of an error of our own. A value in it is `…`. */
export interface ErrorText {
  file: string
  text: string
}

/** The texts of the errors that the sources construct, in the order of the files. */
export function errorTexts(): ErrorText[] {
  return sources.filter((file) => file.endsWith('.ts')).flatMap((file) => textsOf(file).map((text) => ({ file, text })))
}

function textsOf(file: string): string[] {
  const found: string[] = []
  const ofApi: string[] = []
  visit(parseSource(file), {
    NewExpression({ callee, arguments: all }) {
      if (callee.type !== 'Identifier' || !callee.name.endsWith('Error')) return
      for (const each of all) found.push(...stringsIn(each as Part))
    },
    // Functions that make an error: `apiError(type, text)`, `fileError(text)`.
    CallExpression({ callee, arguments: all }) {
      if (callee.type !== 'Identifier' || !callee.name.endsWith('Error')) return
      const texts = callee.name === 'apiError' ? all.slice(1) : all
      for (const each of texts) (callee.name === 'apiError' ? ofApi : found).push(...stringsIn(each as Part))
    },
  })
  // A single word is the name of a field or a code. `open …` is what a store could not do, after "Cannot".
  const sentences = [
    ...found.filter((text) => /[a-z]{2,} [^ ]/i.test(text) && !/^(?:open|prepare|… in) /.test(text)),
    ...ofApi,
  ]
  return sentences.map((text) => text.replaceAll(/\s+/g, ' ').trim()).filter((text) => /[a-z]{2}/i.test(text))
}

/** The parts of the syntax of which a text is made. */
interface Part {
  type: string
  value?: unknown
  quasis?: { value: { cooked: string } }[]
  consequent?: Part
  alternate?: Part
  left?: Part
  right?: Part
  operator?: string
}

/** Every text that an argument can be: of a conditional both. */
function stringsIn({ type, value, quasis, consequent, alternate, left, right }: Part): string[] {
  if (type === 'Literal') return typeof value === 'string' ? [value] : []
  if (type === 'TemplateLiteral') return [quasis!.map((each) => each.value.cooked).join('…')]
  if (type === 'ConditionalExpression') return [...stringsIn(consequent!), ...stringsIn(alternate!)]
  if (type === 'BinaryExpression') return [[...stringsIn(left!), ...stringsIn(right!)].join('')]
  return []
}
