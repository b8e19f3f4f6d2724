import { useSignal } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { visibleText } from '../format.ts'
import { copyText } from '../shell/copy.ts'
import { linesOf } from './code-lines.ts'
import type { Coloured, Highlighted } from './highlight.ts'

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

/** While code grows, its end is coloured after this many milliseconds. Until then it is plain. */
const growMs = 200
/** Shows code at once, and in colour when the highlighter and its language have been loaded. */
export function Code({ language, code }: CodeProps): VNode {
  const [coloured, setColoured] = useState<Coloured>()
  const { current: nodes } = useRef(new WeakMap<readonly Highlighted[], VNode>())
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const newest = useRef({ code, language })
  newest.current = { code, language }
  useEffect(() => {
    if (timer.current !== undefined || code.length > maxCodeLength || coloured?.code === code) return
    const colour = async (): Promise<void> => {
      const { highlight } = await import('./highlight.ts')
      const next = await highlight(newest.current.code, newest.current.language, coloured)
      timer.current = undefined
      if (next) setColoured(next)
    }
    timer.current = setTimeout(() => void colour(), coloured ? growMs : 0)
  }, [code, language, coloured])
  useEffect(() => () => clearTimeout(timer.current), [])
  const { code: start, parts } = coloured && code.startsWith(coloured.code) ? coloured : uncoloured
  // The line in which the colours end continues in its part.
  const end = start && !start.endsWith('\n') ? code.indexOf('\n', start.length) + 1 || code.length : start.length
  return (
    <code>
      {parts.slice(0, -1).map((part) => remembered(part, nodes))}
      {lines([parts.at(-1)?.map(node), visibleText(code.slice(start.length, end))])}
      {linesOf(code.slice(end)).map((text) => lines(visibleText(text)))}
    </code>
  )
}

const uncoloured: Pick<Coloured, 'code' | 'parts'> = { code: '', parts: [] }

/** The element of a part: the same one while it is shown, which Preact does not compare. */
function remembered(part: readonly Highlighted[], nodes: WeakMap<readonly Highlighted[], VNode>): VNode {
  const known = nodes.get(part)
  if (known) return known
  const made = lines(part.map(node))
  nodes.set(part, made)
  return made
}

function lines(children: ComponentChildren): VNode {
  return <span class="lines">{children}</span>
}

function node(part: Highlighted): ComponentChildren {
  return typeof part === 'string' ? visibleText(part) : <span class={part.scope}>{part.children.map(node)}</span>
}
