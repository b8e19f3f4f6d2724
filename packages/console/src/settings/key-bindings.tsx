import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { isChanged, keyNames, keysFor, keysOf, refusal, setKeys } from '../shell/commands/bindings.ts'
import { type Command, commands } from '../shell/commands/commands.ts'
import { Keys } from '../shell/parts/keys.tsx'
import { announce } from '../shell/status.tsx'

/** Every command with its keys, which can be changed. */
export function KeyBindings(): VNode {
  const recording = useSignal<string | undefined>(undefined)
  const problem = useSignal<string | undefined>(undefined)
  const record = (command: Command, event: KeyboardEvent): void => {
    const keys = keysOf(event)
    if (keys === 'Tab' || keys === 'Shift+Tab') return void (recording.value = undefined)
    event.preventDefault()
    event.stopPropagation()
    if (keys === 'Escape') return void (recording.value = undefined)
    const other = commands.find((each) => each !== command && keysFor(each) === keys)
    problem.value = refusal(keys) ?? (other && `${keyNames(keys).join(' ')} is used by “${other.name}”`)
    if (problem.value) return
    setKeys(command, keys)
    recording.value = undefined
    announce(`${command.name}: ${keyNames(keys).join(' ')}`)
  }
  return (
    <section class="group" aria-labelledby="bindings">
      <h2 id="bindings">Keys of commands</h2>
      <table class="bindings">
        <tbody>
          {commands.map((command) => (
            <tr key={command.name}>
              <th scope="row">{command.name}</th>
              <td>
                <button
                  type="button"
                  aria-pressed={recording.value === command.name}
                  onClick={() => {
                    problem.value = undefined
                    recording.value = recording.value === command.name ? undefined : command.name
                  }}
                  onBlur={() => (recording.value = undefined)}
                  onKeyDown={(event) => recording.value === command.name && record(command, event)}
                >
                  <span class="visually-hidden">Keys of {command.name}: </span>
                  {recording.value === command.name ? 'Press the keys …' : <Keys keys={keysFor(command)} />}
                  {recording.value !== command.name && keysFor(command) === '' && <span class="soft">none</span>}
                </button>
              </td>
              <td>
                {isChanged(command) && (
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`Reset the keys of ${command.name}`}
                    onClick={() => setKeys(command, undefined)}
                  >
                    Reset
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="soft small" role={problem.value ? 'alert' : undefined}>
        {problem.value ?? 'Choose one and press other keys. Escape leaves it as it is.'}
      </p>
    </section>
  )
}
