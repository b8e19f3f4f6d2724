import type { VNode } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { PathMessageJson } from '../../api/types.ts'
import { isComposing } from '../../shell/commands/bindings.ts'
import { type AnyBlock, isTextResult, resultText, textOf } from '../message/content-text.ts'
import type { OpenChat } from '../open-chat.ts'

interface EditorProps {
  chat: OpenChat
  message: PathMessageJson
  /** The content to begin with: that of the message, or one that was refused. */
  content: string | AnyBlock[]
  onClose: (isSaved: boolean) => void
}

/** Edits the text of a message, or that of each tool result in it. Its other blocks stay. */
export function Editor({ chat, message, content, onClose }: EditorProps): VNode {
  const results = resultsIn(content)
  const [texts, setTexts] = useState(results.length > 0 ? results.map(resultText) : [textOf(content)])
  const form = useRef<HTMLFormElement>(null)
  useLayoutEffect(() => form.current?.querySelector('textarea')?.focus(), [])
  const save = (rerun: boolean): void => {
    onClose(true)
    const [text = ''] = texts
    const edited = results.length > 0 ? withResults(content as AnyBlock[], texts) : withText(content, text)
    void chat.edit(message.id, edited, rerun)
  }
  const canRerun = message.role === 'user'
  const isEmpty = results.length === 0 && texts[0]?.trim() === ''
  return (
    <form
      class="editor"
      ref={form}
      onSubmit={(event) => {
        event.preventDefault()
        save(canRerun)
      }}
      onKeyDown={(event) => {
        if (isComposing(event)) return
        if (event.key === 'Escape') onClose(false)
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save(canRerun)
      }}
    >
      {texts.map((text, index) => (
        <textarea
          key={index}
          aria-label={results.length > 0 ? `Tool result ${index + 1}` : 'Text of the message'}
          dir="auto"
          rows={Math.min(16, text.split('\n').length + 1)}
          value={text}
          onInput={({ currentTarget }) => setTexts(texts.with(index, currentTarget.value))}
        />
      ))}
      <p class="row">
        {canRerun && (
          <button type="submit" class="primary" disabled={isEmpty}>
            Save and rerun
          </button>
        )}
        <button type="button" disabled={isEmpty} onClick={() => save(false)}>
          Save
        </button>
        <button type="button" class="quiet" onClick={() => onClose(false)}>
          Cancel
        </button>
      </p>
    </form>
  )
}

/** The content with another text: in place of its first text block, and without its other ones. */
function withText(content: string | readonly AnyBlock[], text: string): string | AnyBlock[] {
  if (typeof content === 'string') return text
  const first = content.findIndex(({ type }) => type === 'text')
  const block = { type: 'text', text }
  if (first === -1) return [...content, block]
  return content.flatMap((one, index) => (index === first ? [block] : one.type === 'text' ? [] : [one]))
}

/** The results of a message whose text they are. Empty for a message with a text of its own. */
function resultsIn(content: string | readonly AnyBlock[]): AnyBlock[] {
  return typeof content === 'string' || textOf(content) !== '' ? [] : content.filter(isTextResult)
}

function withResults(content: readonly AnyBlock[], texts: readonly string[]): AnyBlock[] {
  const left = [...texts]
  return content.map((block) => (isTextResult(block) ? { ...block, content: left.shift() } : block))
}
