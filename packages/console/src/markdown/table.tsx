import type { Tokens } from 'marked'
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { inline } from './inline.tsx'

/** Rows shown before the reader asks for the rest. */
const firstRows = 200

export function Table({ table: { header, rows } }: { table: Tokens.Table }): VNode {
  const [isWhole, setWhole] = useState(false)
  const visible = isWhole ? rows : rows.slice(0, firstRows)
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {header.map((cell) => (
              <th scope="col" class={cell.align ?? undefined}>
                {inline(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {visible.map((row) => (
            <tr>
              {row.map((cell) => (
                <td class={cell.align ?? undefined}>{inline(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {visible.length < rows.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show all {rows.length} rows
        </button>
      )}
    </div>
  )
}
