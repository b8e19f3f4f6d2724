import type { VNode } from 'preact'
import { dateTimeText } from '../format.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { loadKey } from './key-data.ts'
import { Spent } from './keys.tsx'

/** The key of a member, with what is left of its budgets. */
export function OwnKey({ id }: { id: string }): VNode {
  const { value, placeholder } = useLoaded(() => loadKey(id), [id])
  return (
    <section class="group" aria-labelledby="own-key">
      <h2 id="own-key">Your key</h2>
      {!value && placeholder}
      {value && (
        <div class="row">
          <strong>{value.name}</strong>
          <code>{value.hint}</code>
          <Spent budgets={value.budgets} />
          {value.expires_at && <span class="soft">valid until {dateTimeText(value.expires_at)}</span>}
        </div>
      )}
    </section>
  )
}
