import { createRequire } from 'node:module'
import { drawFormula, type MathNode, type TexReader } from './math-tree.ts'

const require = createRequire(import.meta.url)
let reader: TexReader | undefined

/** As `drawFormula()`. The code that reads TeX is loaded with the first formula. */
export function drawTex<T>(tex: string, isDisplay: boolean, draw: (tree: MathNode) => T): T | undefined {
  reader ??= require('temml') as TexReader
  return drawFormula(reader, tex, isDisplay, draw)
}
