import type { VNode } from 'preact'
import { timeZone } from '../settings/preferences.ts'
import { filters, setFilters } from '../shell/router.ts'
import { periods } from './periods.ts'
import { download } from './download.ts'
import type { UsageQuery, UsageReport } from './usage-data.ts'

interface FiltersProps {
  /** The values to choose from; undefined until they are loaded. */
  options: { models: UsageReport; keys: UsageReport } | undefined
  query: UsageQuery
}

/** The period, and filters by model and key. They are kept in the address. */
export function Filters({ options, query }: FiltersProps): VNode {
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
      <Filter name="model" label="Model" report={options?.models} />
      <Filter name="key" label="Key" report={options?.keys} />
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

function Filter({
  name,
  label,
  report,
}: {
  name: 'model' | 'key'
  label: string
  report: UsageReport | undefined
}): VNode {
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
