import { type Signal, signal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { visibleText } from '../format.ts'
import type { FormulaToken } from '../../../cli/src/markdown/formula/formula-lexer.ts'
import type * as mathMlModule from './mathml.ts'

/** The code that reads TeX. It is loaded with the first formula. */
const loaded: Signal<typeof mathMlModule | undefined> = signal(undefined)

/** Shows a formula, or its source until TeX can be read and if it is not valid. */
export function Formula({ tex, isDisplay }: Pick<FormulaToken, 'tex' | 'isDisplay'>): VNode {
  const reader = loaded.value
  useEffect(() => {
    if (!loaded.peek()) void import('./mathml.ts').then((module) => (loaded.value = module))
  }, [])
  const math = useMemo(() => reader?.mathMl(tex, isDisplay), [reader, tex, isDisplay])
  if (!math) return <code>{visibleText(tex)}</code>
  if (!isDisplay) return math
  return (
    <span class="formula" tabIndex={0} role="group" aria-label="Formula">
      {math}
    </span>
  )
}
