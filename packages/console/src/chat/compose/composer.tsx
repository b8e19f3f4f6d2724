import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { enterSends, warnCostUsd } from '../../settings/preferences.ts'
import { isComposing } from '../../shell/commands/bindings.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { notify } from '../../shell/status.tsx'
import { type Attachment, attach, contentOf, pastedFiles, setFiles, unsentFiles } from './attachments.ts'
import type { AnyBlock } from '../message/content-text.ts'
import { Estimate } from './estimate.tsx'
import { UnsentFiles } from './unsent-files.tsx'
import { draftOf, setDraft } from './unsent-text.ts'

const noFiles: readonly Attachment[] = []

interface ComposerProps {
  /** The chat whose draft is kept; `new` before there is one. */
  draftId: string
  isBusy: boolean
  /** Whether the reply is being stopped. */
  isStopping: boolean | undefined
  /** Whether the chat is there. Until then the message waits in the field. */
  isReady: boolean
  /** Resolves to the chat to whose field a message returns that was refused; to undefined if it was recorded. */
  onSend: (content: string | AnyBlock[]) => Promise<string | undefined>
  onStop: () => void
  /** The path of the preview; undefined before there is a chat. */
  chatId: string | undefined
}

/** The field for the next message. Files come by button, paste or drop. */
export function Composer({ draftId, isBusy, isStopping, isReady, onSend, onStop, chatId }: ComposerProps): VNode {
  const field = useRef<HTMLTextAreaElement>(null)
  const files = unsentFiles.value[draftId] ?? noFiles
  const text = draftOf(draftId)
  const setText = (next: string): void => setDraft(draftId, next)
  const isEmpty = text.trim() === '' && files.length === 0
  const canSend = !isEmpty && !isBusy && isReady
  const [isDropping, setDropping] = useState(false)
  useLayoutEffect(focusField, [draftId])

  const submit = (): void => {
    if (!canSend) return
    setText('')
    setFiles(draftId, () => [])
    void onSend(contentOf(text, files)).then((id) => id !== undefined && putBack(id, text, files))
    field.current?.focus()
  }
  const add = async (list: Iterable<File>): Promise<void> => {
    const failures: string[] = []
    for (const file of list) {
      try {
        const attached = await attach(file)
        setFiles(draftId, (others) => [...others, attached])
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
    if (failures.length > 0) notify(failures.join('\n'))
    field.current?.focus()
  }

  useEffect(() => takeDrops(add, setDropping), [draftId])

  return (
    <form
      class="composer"
      aria-label="Message"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <div class={isDropping ? 'box dropping' : 'box'}>
        {isDropping && <p class="small">Drop files here to attach them</p>}
        <UnsentFiles id={draftId} />
        <Field {...{ field, text, setText, submit, add }} />
        <div class="row">
          <AttachButton add={add} />
          <span class="grow">
            {chatId !== undefined && !isEmpty && (
              <Estimate chatId={chatId} text={text} files={files} warnUsd={warnCostUsd.value} />
            )}
          </span>
          <SendButton
            isBusy={isBusy}
            isStopping={isStopping}
            canSend={canSend}
            onStop={() => {
              onStop()
              field.current?.focus()
            }}
          />
        </div>
      </div>
    </form>
  )
}

/** Moves the focus to the field. The keyboard of a touch screen would cover the chat. */
export function focusField(): void {
  if (!isTouched()) document.querySelector<HTMLElement>('#composer')?.focus()
}

/** Puts a message that was refused into the field, before what was typed meanwhile. */
function putBack(id: string, text: string, files: readonly Attachment[]): void {
  setDraft(id, [text, draftOf(id)].filter(Boolean).join('\n\n'))
  setFiles(id, (others) => [...files, ...others])
}

/**
 * Takes the files that are dropped anywhere on the page, which the browser would show in its place. `show` is told whether
 * files are held over the page. Returns a function that ends it.
 */
function takeDrops(add: FieldProps['add'], show: (isDropping: boolean) => void): () => void {
  const ended = new AbortController()
  const take = (event: DragEvent): void => {
    const { dataTransfer, type, relatedTarget } = event
    if (!dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    if (type === 'dragover') show(true)
    else if (type === 'drop' || relatedTarget === null) show(false)
    if (type === 'drop') void add([...dataTransfer.files])
  }
  for (const type of ['dragover', 'dragleave', 'drop'] as const) addEventListener(type, take, { signal: ended.signal })
  return () => ended.abort()
}

interface SendProps extends Pick<ComposerProps, 'isBusy' | 'isStopping' | 'onStop'> {
  canSend: boolean
}

/** Sends, and stops while a reply arrives. */
function SendButton({ isBusy, isStopping, canSend, onStop }: SendProps): VNode {
  if (!isBusy) {
    return (
      <button type="submit" class="primary" disabled={!canSend}>
        <Icon name="send" />
        Send
      </button>
    )
  }
  return (
    <button type="button" class="stop" disabled={isStopping} onClick={onStop}>
      {isStopping ? 'Stopping …' : '■ Stop'}
    </button>
  )
}

interface FieldProps {
  field: { current: HTMLTextAreaElement | null }
  text: string
  setText: (text: string) => void
  submit: () => void
  add: (files: Iterable<File>) => Promise<void>
}

function Field({ field, text, setText, submit, add }: FieldProps): VNode {
  return (
    <textarea
      id="composer"
      ref={field}
      rows={1}
      dir="auto"
      aria-label="Ask anything"
      placeholder="Ask anything …"
      value={text}
      onInput={({ currentTarget }) => setText(currentTarget.value)}
      onPaste={(event) => {
        const pasted = event.clipboardData ? pastedFiles(event.clipboardData) : []
        if (pasted.length === 0) return
        event.preventDefault()
        void add(pasted)
      }}
      onKeyDown={(event) => {
        if (!sends(event)) return
        event.preventDefault()
        submit()
      }}
    />
  )
}

function AttachButton({ add }: Pick<FieldProps, 'add'>): VNode {
  return (
    <label class="button quiet attach">
      <input
        type="file"
        multiple
        class="visually-hidden"
        onChange={({ currentTarget }) => {
          void add([...(currentTarget.files ?? [])])
          // The same file can be chosen again after it was removed.
          currentTarget.value = ''
        }}
      />
      <Icon name="attach" />
      <span>Attach</span>
    </label>
  )
}

function isTouched(): boolean {
  return matchMedia('(pointer: coarse)').matches
}

/** Whether a key sends. On a touch screen Enter is a new line. */
function sends(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || isComposing(event)) return false
  if (event.ctrlKey || event.metaKey) return true
  return enterSends.value && !event.shiftKey && !event.altKey && !isTouched()
}
