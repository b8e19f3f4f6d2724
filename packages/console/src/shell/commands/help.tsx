import type { VNode } from 'preact'
import { commands } from './commands.ts'
import { closeDialog } from '../parts/dialog.tsx'
import { keysFor } from './bindings.ts'
import { Keys } from '../parts/keys.tsx'

/** All keys. */
export function Help(): VNode {
  return (
    <>
      <table class="bindings">
        <tbody>
          {commands
            .filter((command) => keysFor(command))
            .map((command) => (
              <tr key={command.name}>
                <th scope="row">{command.name}</th>
                <td>
                  <Keys keys={keysFor(command)} />
                </td>
              </tr>
            ))}
          <tr>
            <th scope="row">Send · new line</th>
            <td>
              <kbd>Enter</kbd> · <Keys keys="Shift+Enter" />
            </td>
          </tr>
        </tbody>
      </table>
      <p>
        <a href="settings" onClick={closeDialog}>
          Change keys
        </a>
      </p>
    </>
  )
}
