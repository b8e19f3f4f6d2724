import { useSignal } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { visibleText } from '../format.ts'
import { copyText } from '../shell/copy.ts'
import { linesOf } from './code-lines.ts'
import type { Highlighted } from './highlight.ts'

/** Longer code is not coloured: it would hold the page up. */
const maxCodeLength = 60_000

interface CodeProps {
  language: string
  code: string
}

export function CodeBlock({ language, code }: CodeProps): VNode {
  const isWrapped = useSignal(false)
  const label = /^\S+/.exec(language)?.[0] ?? 'text'
  return (
    <figure class="code">
      <figcaption>
        <span>{visibleText(label)}</span>
        <button type="button" aria-pressed={isWrapped.value} onClick={() => (isWrapped.value = !isWrapped.value)}>
          Wrap
        </button>
        <button type="button" data-copy-code onClick={() => void copyText(code, 'Code copied')}>
          Copy
        </button>
      </figcaption>
      <pre class={isWrapped.value ? 'wrap' : undefined} tabIndex={0}>
        <Code language={label} code={code} />
      </pre>
    </figure>
  )
}

/** While code grows, it is coloured again after this many milliseconds. Until then its end is plain. */
const growMs = 200
/** Long code is coloured again after a millisecond for this many of its characters. */
const charactersPerMs = 20

interface Coloured {
  code: string
  /** Its parts but the last: the same elements while it is shown, which Preact does not compare. */
  parts: readonly VNode[]
  last: ComponentChildren
}

const uncoloured: Coloured = { code: '', parts: [], last: [] }

/** Shows code at once, and in colour when the highlighter and its language have been loaded. */
export function Code({ language, code }: CodeProps): VNode {
  const [coloured, setColoured] = useState(uncoloured)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const newest = useRef(code)
  newest.current = code
  useEffect(() => {
    if (timer.current !== undefined || code.length > maxCodeLength || coloured.code === code) return
    timer.current = setTimeout(
      () => {
        timer.current = undefined
        const { current } = newest
        void import('./highlight.ts')
          .then(({ highlight }) => highlight(current, language))
          .then((parts) => parts && setColoured(colouredOf(current, parts)))
      },
      coloured.code ? Math.max(growMs, code.length / charactersPerMs) : 0,
    )
  }, [code, language, coloured])
  useEffect(() => () => clearTimeout(timer.current), [])
  const { code: start, parts, last } = code.startsWith(coloured.code) ? coloured : uncoloured
  // The line in which the colours end continues in its part.
  const end = start && !start.endsWith('\n') ? code.indexOf('\n', start.length) + 1 || code.length : start.length
  return (
    <code>
      {parts}
      {lines([last, visibleText(code.slice(start.length, end))])}
      {linesOf(code.slice(end)).map((text) => lines(visibleText(text)))}
    </code>
  )
}

function colouredOf(code: string, parts: readonly Highlighted[][]): Coloured {
  const nodes = parts.map((part) => part.map(node))
  return { code, parts: nodes.slice(0, -1).map(lines), last: nodes.at(-1) }
}

function lines(children: ComponentChildren): VNode {
  return <span class="lines">{children}</span>
}

function node(part: Highlighted): ComponentChildren {
  return typeof part === 'string' ? visibleText(part) : <span class={part.scope}>{part.children.map(node)}</span>
}
