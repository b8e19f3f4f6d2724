import type { VNode } from 'preact'
import { commands } from './commands.ts'
import { Dialog } from '../parts/dialog.tsx'
import { keysText } from './keys.ts'

/** All keys. */
export function Help(): VNode {
  return (
    <Dialog title="Keys">
      <table class="keys">
        <tbody>
          {commands
            .filter(({ keys }) => keys)
            .map((command) => (
              <tr key={command.name}>
                <th scope="row">{command.name}</th>
                <td>
                  {keysText(command).map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </td>
              </tr>
            ))}
          <tr>
            <th scope="row">Send · new line</th>
            <td>
              <kbd>Enter</kbd> · <kbd>Shift</kbd>
              <kbd>Enter</kbd>
            </td>
          </tr>
        </tbody>
      </table>
    </Dialog>
  )
}
