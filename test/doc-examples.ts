import { read, sources } from './source.ts'

/** A program behind `@example` in a doc comment. */
export interface DocExample {
  /** The file and the line number. */
  place: string
  /** The name that the comment belongs to. */
  name: string
  text: string
  /** The lines that it prints: the comments behind its `console.log()`. */
  output: string[]
}

/** The programs in the doc comments of all packages. */
export function docExamples(): DocExample[] {
  return sources.flatMap((file) => {
    const text = read(file)
    return Array.from(text.matchAll(commented), ({ index, 1: comment, 2: name }) => ({ index, comment, name })).flatMap(
      ({ index, comment, name }) =>
        Array.from(comment!.matchAll(program), ({ index: start, 1: lines }) => {
          const code = lines!.replaceAll(/^ *\* ?/gm, '')
          return {
            place: `${file}:${text.slice(0, index + start).split('\n').length + 2}`,
            name: name!,
            text: code,
            output: [...code.matchAll(/^ *(?:for .+\) )?console\.log\(.*\) \/\/ (.*)$/gm)].map(([, line]) => line!),
          }
        }),
    )
  })
}

/** A doc comment and the name that it describes, of a declaration or of a member. */
const commented =
  /^ *(\/\*\*(?:(?!\*\/)[^])*?@example(?:(?!\*\/)[^])*\*\/)\n *(?:(?:export|abstract|async|declare|readonly|static) )*(?:function\*?|class|const|interface|type)? ?(\w+)/gm

const program = /^ *\* @example\n *\* ```ts\n([^]*?)^ *\* ```$/gm
