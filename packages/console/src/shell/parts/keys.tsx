import type { VNode } from 'preact'
import { keyNames } from '../commands/bindings.ts'

/** Keys as they stand on the keyboard. */
export function Keys({ keys }: { keys: string }): VNode {
  return (
    <span class="keys">
      {keyNames(keys).map((name) => (
        <kbd key={name}>{name}</kbd>
      ))}
    </span>
  )
}
