import type { VNode } from 'preact'
import { timeZone } from '../settings/preferences.ts'
import { filters, setFilters } from '../shell/router.ts'
import { periods } from './periods.ts'
import { download } from './download.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { type UsageQuery, type UsageReport, loadUsage } from './usage-data.ts'

interface FiltersProps {
  query: UsageQuery
  /** Whether the figures are shown. The values to choose from are loaded after them. */
  isReady: boolean
}

/** The period, and filters by model and key. They are kept in the address. */
export function Filters({ query, isReady }: FiltersProps): VNode {
  return (
    <div class="filters">
      <label>
        <span>Period</span>
        <select
          value={filters.value.get('period') ?? '7d'}
          onChange={({ currentTarget }) => setFilters({ period: currentTarget.value })}
        >
          {Object.entries(periods).map(([name, { label }]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <Filter name="model" label="Model" query={query} isReady={isReady} />
      <Filter name="key" label="Key" query={query} isReady={isReady} />
      <button type="button" onClick={() => (timeZone.value = timeZone.value === 'UTC' ? 'local' : 'UTC')}>
        {timeZone.value === 'UTC' ? 'UTC' : 'Local time'}
      </button>
      <button type="button" onClick={() => void download(query, 'csv')}>
        CSV
      </button>
      <button type="button" onClick={() => void download(query, 'json')}>
        JSON
      </button>
    </div>
  )
}

function Filter({ name, label, query, isReady }: FiltersProps & { name: 'model' | 'key'; label: string }): VNode {
  const others = { ...query, [name]: undefined }
  const load = async (): Promise<UsageReport | undefined> => (isReady ? loadUsage(others, name) : undefined)
  const report = useLoaded(load, [isReady, JSON.stringify(others)]).value
  const chosen = filters.value.get(name) ?? ''
  const values = new Set([...(chosen ? [chosen] : []), ...(report?.rows.map(({ group }) => group[name] ?? '') ?? [])])
  return (
    <label>
      <span>{label}</span>
      <select value={chosen} onChange={({ currentTarget }) => setFilters({ [name]: currentTarget.value })}>
        <option value="">All</option>
        {[...values].filter(Boolean).map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  )
}
