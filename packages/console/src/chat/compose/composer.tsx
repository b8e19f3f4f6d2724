import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { byteText, visibleText } from '../../format.ts'
import { drafts, enterSends, setDraft, warnCostUsd } from '../../settings/preferences.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { notify } from '../../shell/status.tsx'
import { type Attachment, attach, unsentFiles } from './attachments.ts'
import type { AnyBlock } from '../message/content-text.ts'
import { Estimate } from './estimate.tsx'

interface ComposerProps {
  /** The chat whose draft is kept; `new` before there is one. */
  draftId: string
  isBusy: boolean
  /** Resolves to false if the message was refused: then it stays in the field. */
  onSend: (content: string | AnyBlock[]) => Promise<boolean>
  onStop: () => void
  /** The path of the preview; undefined before there is a chat. */
  chatId: string | undefined
}

/** The field for the next message. Files come by button, paste or drop. */
export function Composer({ draftId, isBusy, onSend, onStop, chatId }: ComposerProps): VNode {
  const field = useRef<HTMLTextAreaElement>(null)
  const files = unsentFiles.value[draftId] ?? []
  const setFiles = (next: readonly Attachment[]): void => {
    unsentFiles.value = { ...unsentFiles.value, [draftId]: next }
  }
  const text = drafts.value[draftId] ?? ''
  const setText = (next: string): void => setDraft(draftId, next)
  const isEmpty = text.trim() === '' && files.length === 0
  useLayoutEffect(() => field.current?.focus(), [draftId])

  const submit = (): void => {
    if (isEmpty || isBusy) return
    const sent = { text, files }
    setText('')
    setFiles([])
    void onSend(contentOf(text, sent.files)).then((isRecorded) => {
      if (isRecorded || drafts.value[draftId]) return
      setText(sent.text)
      setFiles(sent.files)
    })
    field.current?.focus()
  }
  const add = async (list: Iterable<File>): Promise<void> => {
    for (const file of list) {
      try {
        const attached = await attach(file)
        setFiles([...(unsentFiles.value[draftId] ?? []), attached])
      } catch (error) {
        notify((error as Error).message)
      }
    }
  }

  useEffect(() => takeDrops(add), [draftId])

  return (
    <form
      class="composer"
      aria-label="Message"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <div class="box">
        <Files files={files} onRemove={(file) => setFiles(files.filter((one) => one !== file))} />
        <Field {...{ field, text, setText, submit, add }} />
        <div class="row">
          <AttachButton add={add} />
          <span class="grow">
            {chatId !== undefined && <Estimate chatId={chatId} text={text} warnUsd={warnCostUsd.value} />}
          </span>
          <SendButton
            isBusy={isBusy}
            isEmpty={isEmpty}
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

/**
 * Takes the files that are dropped anywhere on the page, which the browser would show in its place. Returns a function that
 * ends it.
 */
function takeDrops(add: FieldProps['add']): () => void {
  const ended = new AbortController()
  const take = (event: DragEvent): void => {
    const { dataTransfer, type } = event
    if (!dataTransfer?.types.includes('Files')) return
    event.preventDefault()
    if (type === 'drop') void add([...dataTransfer.files])
  }
  for (const type of ['dragover', 'drop'] as const) addEventListener(type, take, { signal: ended.signal })
  return () => ended.abort()
}

/** Sends, and stops while a reply arrives. */
function SendButton({ isBusy, isEmpty, onStop }: { isBusy: boolean; isEmpty: boolean; onStop: () => void }): VNode {
  if (!isBusy) {
    return (
      <button type="submit" class="primary" disabled={isEmpty}>
        <Icon name="send" />
        Send
      </button>
    )
  }
  return (
    <button type="button" class="stop" onClick={onStop}>
      ■ Stop
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
        const pasted = [...(event.clipboardData?.files ?? [])]
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

function Files({
  files,
  onRemove,
}: {
  files: readonly Attachment[]
  onRemove: (file: Attachment) => void
}): VNode | undefined {
  if (files.length === 0) return undefined
  return (
    <ul class="files" aria-label="Attachments">
      {files.map((file, index) => (
        <li key={`${index} ${file.name}`}>
          <span>
            {visibleText(file.name)} <span class="soft">{byteText(file.bytes)}</span>
          </span>
          <button type="button" class="quiet" aria-label={`Remove ${file.name}`} onClick={() => onRemove(file)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  )
}

/** Enter that chooses a word of an input method must not send. On a touch screen Enter is a new line. */
function sends(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) return false
  if (event.ctrlKey || event.metaKey) return true
  return enterSends.value && !event.shiftKey && !event.altKey && !matchMedia('(pointer: coarse)').matches
}

function contentOf(text: string, files: readonly Attachment[]): string | AnyBlock[] {
  if (files.length === 0) return text
  const blocks = files.map(({ block }) => block)
  return text.trim() === '' ? blocks : [...blocks, { type: 'text', text }]
}
