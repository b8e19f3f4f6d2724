import { notify } from './status.tsx'

/** Copies text and says so. */
export async function copyText(text: string, said = 'Copied'): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    notify(said)
  } catch {
    notify('Cannot copy: the browser does not allow it')
  }
}
