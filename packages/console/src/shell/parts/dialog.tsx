import type { ComponentChildren, VNode } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { dialog } from '../panels.ts'
import { Icon } from './icon.tsx'

/**
 * A modal dialog. Escape closes it; if fields have been changed, the second one does. So does a click beside it, unless it has
 * fields: what was typed would be lost to a click that began as a selection. The focus returns to where it was.
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
  const [isWarned, setWarned] = useState(false)
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null
    const { current } = element
    current?.showModal()
    return () => {
      // Nothing outside can have the focus while it is open.
      current?.close()
      before?.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      aria-label={title}
      onClose={({ currentTarget }) => currentTarget.isConnected && closeDialog()}
      onCancel={(event) => {
        if (isWarned || !isChanged(event.currentTarget)) return
        event.preventDefault()
        setWarned(true)
      }}
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
      {isWarned && (
        <p class="warn" role="alert">
          Your changes are not saved. Esc once more discards them.
        </p>
      )}
      {children}
    </dialog>
  )
}

function isChanged(dialog: HTMLElement): boolean {
  const fields = dialog.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('form :is(input, textarea)')
  return [...fields].some(({ value, defaultValue }) => value !== defaultValue)
}

export function closeDialog(): void {
  dialog.value = undefined
}
