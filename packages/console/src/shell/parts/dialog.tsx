import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { dialog } from '../panels.ts'

/** A modal dialog. Escape and a click beside it close it, and the focus returns to where it was. */
export function Dialog({
  title,
  children,
  isBare = false,
}: {
  title: string
  children: ComponentChildren
  isBare?: boolean
}): VNode {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    element.current?.showModal()
    return () => before?.focus()
  }, [])
  return (
    <dialog
      ref={element}
      aria-label={title}
      onClose={closeDialog}
      onClick={({ target, currentTarget }) => target === currentTarget && closeDialog()}
    >
      {!isBare && (
        <header class="row">
          <h2 class="grow">{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={closeDialog}>
            ✕
          </button>
        </header>
      )}
      {children}
    </dialog>
  )
}

export function closeDialog(): void {
  dialog.value = undefined
}
