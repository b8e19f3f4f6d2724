import type { VNode } from 'preact'
import { chats } from '../chat/list/chats.ts'
import { moneyText, tokenText, visibleText } from '../format.ts'
import { navigate, setFilters } from '../shell/router.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { type UsageQuery, type UsageRow, loadUsage } from './usage-data.ts'

interface TopTableProps {
  title: string
  field: 'model' | 'chat' | 'key'
  query: UsageQuery
}

const rowsShown = 10

/**
 * The models, chats or keys that cost most. A model or key filters the page; a chat shows its requests. Chats are not in the
 * totals of hours: reading them takes longest.
 */
export function TopTable({ title, field, query }: TopTableProps): VNode {
  const { value, placeholder } = useLoaded(() => loadUsage(query, field), [JSON.stringify(query)])
  return (
    <section class="group top-table" aria-labelledby={`top-${field}`}>
      <h2 id={`top-${field}`}>{title}</h2>
      {value ? <Rows title={title} field={field} rows={value.rows} /> : placeholder}
    </section>
  )
}

function Rows({
  title,
  field,
  rows: all,
}: Pick<TopTableProps, 'title' | 'field'> & { rows: readonly UsageRow[] }): VNode {
  const rows = all.toSorted((a, b) => Number(b.usd) - Number(a.usd) || b.requests - a.requests).slice(0, rowsShown)
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={title}>
      <table>
        <thead>
          <tr>
            {[title, 'Cost', 'Output', 'Requests'].map((heading, index) => (
              <th key={heading} scope="col" class={index > 0 ? 'right' : undefined}>
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ group, usd, estimated, tokens, requests }) => (
            <tr key={group[field]}>
              <th scope="row">
                <Name field={field} value={group[field] ?? ''} />
              </th>
              <td class="right">
                {estimated.requests > 0 ? '≈' : ''}
                {moneyText(usd)}
              </td>
              <td class="right">{tokenText(tokens.output)}</td>
              <td class="right">{requests.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The names of what the totals do not name, such as a model that the server does not have. */
export const unnamed = { model: '(no model)', chat: '(no chat)', key: '(without a key)' }

function Name({ field, value }: { field: TopTableProps['field']; value: string }): VNode {
  if (value === '') return <span class="soft">{unnamed[field]}</span>
  const title = field === 'chat' ? chats.value?.find(({ id }) => id === value)?.title : undefined
  const choose = (): void => {
    if (field === 'chat') navigate(`requests?conversation=${encodeURIComponent(value)}`)
    else setFilters({ [field]: value })
  }
  return (
    <button type="button" onClick={choose}>
      {visibleText(title ?? value)}
    </button>
  )
}
