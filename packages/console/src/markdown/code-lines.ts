/** Lines of code in one element: while code grows, the browser lays out only the elements whose lines have changed. */
export const linesPerPart = 50

const part = new RegExp(`(?:[^\\n]*\\n|[^\\n]+$){1,${linesPerPart}}`, 'g')

/** Divides code into parts of whole lines. */
export function linesOf(code: string): string[] {
  return code.match(part) ?? []
}
