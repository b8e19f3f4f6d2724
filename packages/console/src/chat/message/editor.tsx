import type { VNode } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { PathMessageJson } from '../../api/types.ts'
import { isComposing } from '../../shell/commands/bindings.ts'
import { contentOf, textOf, type AnyBlock } from './content-text.ts'
import type { OpenChat } from '../open-chat.ts'

interface EditorProps {
  chat: OpenChat
  message: PathMessageJson
  onClose: (isSaved: boolean) => void
}

/** Edits the text of a message. Its other blocks stay. */
export function Editor({ chat, message, onClose }: EditorProps): VNode {
  const content = contentOf(message)
  const [text, setText] = useState(textOf(content))
  const field = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => field.current?.focus(), [])
  const save = (rerun: boolean): void => {
    onClose(true)
    void chat.edit(message.id, withText(content, text), rerun)
  }
  const canRerun = message.role === 'user'
  return (
    <form
      class="editor"
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
      <textarea
        ref={field}
        aria-label="Text of the message"
        dir="auto"
        rows={Math.min(16, text.split('\n').length + 1)}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <p class="row">
        {canRerun && (
          <button type="submit" class="primary" disabled={text.trim() === ''}>
            Save and rerun
          </button>
        )}
        <button type="button" disabled={text.trim() === ''} onClick={() => save(false)}>
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
