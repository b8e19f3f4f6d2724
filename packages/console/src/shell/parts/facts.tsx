import type { VNode } from 'preact'

/** Names and values, one a line. */
export function Facts({ rows }: { rows: readonly [string, string][] }): VNode {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
