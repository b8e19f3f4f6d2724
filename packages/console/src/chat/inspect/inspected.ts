import { type Signal, signal } from '@preact/signals'
import { openInspector } from '../../shell/panels.ts'

/** The reply whose request the inspector shows; undefined for the next request. */
export const inspected: Signal<string | undefined> = signal(undefined)

/** Opens the inspector at the request of a reply. */
export function inspect(messageId: string): void {
  inspected.value = messageId
  openInspector()
  // The reader's place is the inspector now, also on a screen that it covers.
  requestAnimationFrame(() => document.querySelector<HTMLElement>('#tab-Request')?.focus())
}
