import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileFacts, withHome } from '../../file-paths.ts'

const words = /'([^']*)'|"([^"]*)"|((?:\\.|[^\s\\'"])+)/g

/**
 * The paste of a terminal into which files were dropped, with `@` before each path: `'/media/a b.png'` and `/media/a\ b.png`
 * become `@"/media/a b.png"`. Undefined unless the text is only absolute paths of images and PDFs: a text file may be
 * meant by its name alone.
 */
export function mentionsOfDropped(text: string): string | undefined {
  if (text.length > 10_000 || /[\r\n]/.test(text.trim())) return undefined
  const rest = text.replaceAll(words, '')
  const paths = [...text.matchAll(words)].map(([, single, double, bare = '']) => single ?? double ?? plainPath(bare))
  if (paths.length === 0 || rest.trim() !== '' || !paths.every(isPicture)) return undefined
  return `${paths.map((path) => (/\s/.test(path) ? `@"${path}"` : `@${path}`)).join(' ')} `
}

/** The path without the shell's backslashes, or that of a `file:` address. */
function plainPath(word: string): string {
  if (word.startsWith('file://')) return URL.canParse(word) ? fileURLToPath(word) : word
  const path = process.platform === 'win32' ? word : word.replaceAll(/\\(.)/g, '$1')
  return withHome(path)
}

function isPicture(path: string): boolean {
  const isNamed = isAbsolute(path) && /\.(?:png|jpe?g|gif|webp|pdf)$/i.test(path)
  return isNamed && fileFacts(path)?.isFile() === true
}
