import { notify } from './status.tsx'

/** Copies text and says so. */
export async function copyText(text: string, said = 'Copied'): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    if (!copyByEvent(text)) return notify('Cannot copy: the browser does not allow it')
  }
  notify(said)
}

/** The older way, which a page over plain HTTP has too. Returns whether the browser allows it. */
function copyByEvent(text: string): boolean {
  const copy = (event: ClipboardEvent): void => {
    event.preventDefault()
    event.clipboardData?.setData('text/plain', text)
  }
  addEventListener('copy', copy, { once: true })
  const isCopied = document.execCommand('copy')
  removeEventListener('copy', copy)
  return isCopied
}
