import { read } from './source.ts'

/** A file that a page tells its reader to write. */
export interface PageFile {
  path: string
  text: string
}

/** The files of a page: each has its path in bold code before its text. */
export function filesOfPage(page: string): PageFile[] {
  const blocks = read(page).matchAll(/^\*\*`([^`]+)`\*\*[^\n]*\n+```\w+\n([^]*?)^```/gm)
  return Array.from(blocks, ([, path, text]) => ({ path: path!, text: text! }))
}
