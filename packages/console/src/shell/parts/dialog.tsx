import type { ComponentChildren, VNode } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { dialog } from '../panels.ts'
import { Icon } from './icon.tsx'

/**
 * A modal dialog. Escape closes it, and so does a click beside it, unless it has fields: what was typed would be lost to a click
 * that began as a selection. The focus returns to where it was.
 */
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
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null
    element.current?.showModal()
    return () => before?.focus()
  }, [])
  return (
    <dialog
      ref={element}
      aria-label={title}
      onClose={closeDialog}
      onClick={({ target, currentTarget }) =>
        target === currentTarget && !currentTarget.querySelector('form') && closeDialog()
      }
    >
      {!isBare && (
        <header class="row">
          <h2 class="grow">{title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={closeDialog}>
            <Icon name="close" />
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
