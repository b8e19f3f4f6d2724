import type { VNode } from 'preact'
import type { PathMessageJson } from '../../api/types.ts'
import { isComposing } from '../../shell/commands/bindings.ts'
import { notify } from '../../shell/status.tsx'
import { type AnyBlock, contentOf, isTextResult, resultText, textOf } from '../message/content-text.ts'
import type { OpenChat } from '../open-chat.ts'
import { editOf, setEdit } from './unsent-text.ts'

interface EditorProps {
  chat: OpenChat
  message: PathMessageJson
  /** The texts of the fields: that of the message, or of each tool result in it. */
  texts: readonly string[]
}

/** Opens the editor of a message, with what was typed in it before if it was not saved. */
export function beginEdit(chat: OpenChat, message: PathMessageJson): void {
  const { texts = textsIn(contentOf(message)) } = editOf(chat.id, message.id) ?? {}
  setEdit(chat.id, message.id, { texts, isOpen: true })
  // It is rendered by then, and before the next key: Preact renders in a microtask.
  queueMicrotask(() => focus(message, '.editor textarea'))
}

/** Edits the text of a message, or that of each tool result in it. Its other blocks stay. The text is kept until it is saved. */
export function Editor({ chat, message, texts }: EditorProps): VNode {
  const content = contentOf(message)
  const results = resultsIn(content)
  const original = textsIn(content)
  const keep = (isOpen: boolean): void => setEdit(chat.id, message.id, { texts, isOpen })
  const forget = (): void => setEdit(chat.id, message.id, undefined)
  const save = (rerun: boolean): void => {
    // The fields are gone then. The focus goes to what follows.
    document.querySelector<HTMLElement>('#composer')?.focus()
    keep(false)
    const [text = ''] = texts
    const edited = results.length > 0 ? withResults(content as AnyBlock[], texts) : withText(content, text)
    void chat.edit(message.id, edited, rerun).then((isTaken) => (isTaken ? forget() : keep(true)))
  }
  const reopen = (): void => {
    keep(false)
    beginEdit(chat, message)
  }
  /** `isKept`: what was typed is there when the message is edited again. */
  const close = (isKept: boolean): void => {
    focus(message, '.edit')
    const isChanged = texts.some((text, index) => text !== original[index])
    if (isChanged && isKept) keep(false)
    else forget()
    if (isChanged && isKept) notify('Your changes are kept, and not saved: Edit shows them again')
    else if (isChanged) notify('Your changes were discarded', reopen)
  }
  const canRerun = message.role === 'user'
  const isEmpty = results.length === 0 && texts[0]?.trim() === ''
  return (
    <form
      class="editor"
      onSubmit={(event) => {
        event.preventDefault()
        save(canRerun)
      }}
      onKeyDown={(event) => {
        if (isComposing(event)) return
        if (event.key === 'Escape') close(true)
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
          onInput={({ currentTarget }) =>
            setEdit(chat.id, message.id, { texts: texts.with(index, currentTarget.value), isOpen: true })
          }
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
        <button type="button" class="quiet" onClick={() => close(false)}>
          Cancel
        </button>
      </p>
    </form>
  )
}

function focus({ id }: PathMessageJson, selector: string): void {
  document.querySelector<HTMLElement>(`#message-${id} ${selector}`)?.focus()
}

/** The text of a message, or that of each tool result in it. */
function textsIn(content: string | readonly AnyBlock[]): string[] {
  const results = resultsIn(content)
  return results.length > 0 ? results.map(resultText) : [textOf(content)]
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
