import { dialog } from '../panels.ts'
import { isComposing, isMac, keysFor, keysOf } from './bindings.ts'
import { commands } from './commands.ts'

/** Runs the command whose keys are pressed. */
export function listenForKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || isComposing(event)) return
    const pressed = keysOf(event)
    const command = commands.find((each) => keysFor(each) === pressed)
    // In a dialog, Escape closes it; fields have keys of their own.
    if (!command || (dialog.value && !command.worksInDialogs)) return
    if (pressed === 'Escape' && isField(event.target) && event.target.id !== 'composer') return
    // On a Mac these keys move by words.
    if (isMac && pressed.startsWith('Alt+Arrow') && isField(event.target) && event.target.value !== '') return
    event.preventDefault()
    command.run()
  })
}

function isField(target: EventTarget | null): target is HTMLInputElement {
  return target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}
