import { type Signal, signal } from '@preact/signals'
import { openInspector } from '../../shell/panels.ts'

/** The reply whose request the inspector shows; undefined for the next request. */
export const inspected: Signal<string | undefined> = signal(undefined)

/** Whether the inspector takes the focus when it is there: the reader's place is in it, also on a screen that it covers. */
export const takesFocus: Signal<boolean> = signal(false)

/** Opens the inspector at the request of a reply. */
export function inspect(messageId: string): void {
  inspected.value = messageId
  openInspector()
  takesFocus.value = true
}
