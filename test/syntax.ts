import { parseSync, Visitor, type Comment, type Program, type VisitorObject } from 'oxc-parser'
import { read } from './source.ts'

/** A parsed file, with the means to turn an offset of its syntax tree into a line number. */
export interface Syntax {
  file: string
  text: string
  program: Program
  comments: Comment[]
}

export function parseSource(file: string): Syntax {
  const text = read(file)
  const { program, comments, errors } = parseSync(file, text)
  if (errors.length > 0) throw new SyntaxError(`Cannot parse ${file}: ${errors[0]!.message}`)
  return { file, text, program, comments }
}

export function visit({ program }: Syntax, visitor: VisitorObject): void {
  new Visitor(visitor).visit(program)
}

/** The line number, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
