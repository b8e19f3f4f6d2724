import { useSignal } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
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
        <span>{label}</span>
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

/** Shows code at once, and in colour when the highlighter and its language have been loaded. */
export function Code({ language, code }: CodeProps): VNode {
  const [coloured, setColoured] = useState<{ code: string; nodes: Highlighted[] }>()
  useEffect(() => {
    if (code.length > maxCodeLength) return
    let isCurrent = true
    void import('./highlight.ts')
      .then(({ highlight }) => highlight(code, language))
      .then((nodes) => isCurrent && nodes && setColoured({ code, nodes }))
    return () => void (isCurrent = false)
  }, [code, language])
  return <code>{coloured?.code === code ? coloured.nodes.map(node) : code}</code>
}

function node(part: Highlighted): ComponentChildren {
  return typeof part === 'string' ? part : <span class={part.scope}>{part.children.map(node)}</span>
}
