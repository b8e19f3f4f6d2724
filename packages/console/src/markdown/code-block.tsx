import { useSignal } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { visibleText } from '../format.ts'
import { copyText } from '../shell/copy.ts'
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

/** Shows code at once, and in colour when the highlighter and its language have been loaded. */
export function Code({ language, code }: CodeProps): VNode {
  const [coloured, setColoured] = useState<{ code: string; nodes: ComponentChildren[] }>()
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const newest = useRef(code)
  newest.current = code
  useEffect(() => {
    if (timer.current !== undefined || code.length > maxCodeLength || coloured?.code === code) return
    timer.current = setTimeout(
      () => {
        timer.current = undefined
        const { current } = newest
        void import('./highlight.ts')
          .then(({ highlight }) => highlight(current, language))
          .then((parts) => parts && setColoured({ code: current, nodes: parts.map(node) }))
      },
      coloured ? growMs : 0,
    )
  }, [code, language, coloured])
  useEffect(() => () => clearTimeout(timer.current), [])
  if (!coloured || !code.startsWith(coloured.code)) return <code>{visibleText(code)}</code>
  return (
    <code>
      {coloured.nodes}
      {visibleText(code.slice(coloured.code.length))}
    </code>
  )
}

function node(part: Highlighted): ComponentChildren {
  return typeof part === 'string' ? visibleText(part) : <span class={part.scope}>{part.children.map(node)}</span>
}
