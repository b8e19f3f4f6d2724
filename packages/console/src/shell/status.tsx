import { type Signal, signal } from '@preact/signals'
import type { VNode } from 'preact'
import { waits } from '../api/http.ts'
import { visibleText } from '../format.ts'

/** A sentence about something that just happened, with a way to take it back if there is one. */
export interface Notice {
  text: string
  undo?: () => void
}

const spoken: Signal<string> = signal('')
const shown: Signal<Notice | undefined> = signal(undefined)
const noticeMs = 4_000
/** How much longer a notice stays for each character. */
const characterMs = 40
/** How long a deletion can be undone. */
export const undoMs = 10_000
let timer: ReturnType<typeof setTimeout> | undefined

/** Tells screen readers, politely. */
export function announce(text: string): void {
  spoken.value = text
}

/** Shows a sentence for as long as it takes to read, and tells screen readers. */
export function notify(text: string, undo?: () => void): void {
  clearTimeout(timer)
  shown.value = { text, ...(undo && { undo }) }
  announce(text)
  timer = setTimeout(() => (shown.value = undefined), undo ? undoMs : noticeMs + text.length * characterMs)
}

export function Status(): VNode {
  const notice = shown.value
  return (
    <>
      <p class="visually-hidden" role="status">
        {spoken}
      </p>
      {waits.value > 0 && <div class="working" role="progressbar" aria-label="Waiting for the server" />}
      {notice && (
        <div class="notice">
          <span>{visibleText(notice.text)}</span>
          {notice.undo && (
            <button
              type="button"
              onClick={() => {
                shown.value = undefined
                // The button is gone.
                document.querySelector<HTMLElement>('#composer, #main')?.focus()
                notice.undo?.()
              }}
            >
              Undo
            </button>
          )}
        </div>
      )}
    </>
  )
}
