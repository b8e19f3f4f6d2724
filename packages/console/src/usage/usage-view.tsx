import type { VNode } from 'preact'
import { serverUrl } from '../api/http.ts'
import { BarChart } from '../charts/bar-chart.tsx'
import type { ChartPoint } from '../charts/chart.tsx'
import { LineChart } from '../charts/line-chart.tsx'
import { durationText, moneyText, moneyTick, tokenText } from '../format.ts'
import { zoneOf } from '../settings/preferences.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { filters, navigate, setFilters } from '../shell/router.ts'
import { Filters } from './filters.tsx'
import { type Period, dayLabel, dayOf, daysOf, periodOf, startOf } from './periods.ts'
import { Tiles } from './tiles.tsx'
import { TopTable, unnamed } from './top-table.tsx'
import { timeNames, times } from './times.ts'
import { type UsageQuery, type UsageReport, type UsageRow, before, loadUsage } from './usage-data.ts'

/** Cost, tokens, speed and errors of a period, from the hourly totals of the ledger. */
export function UsageView(): VNode {
  const search = filters.value
  const zone = zoneOf()
  const period = periodOf(search.get('period') ?? '7d', new Date(), zone)
  const query: UsageQuery = {
    since: startOf(period.since, zone).toISOString(),
    until: startOf(period.until, zone).toISOString(),
    tz: zone,
    model: search.get('model') ?? undefined,
    key: search.get('key') ?? undefined,
  }
  const { value, placeholder } = useLoaded(() => loadView(query), [JSON.stringify(query)])
  return (
    <main id="main" class="view" tabIndex={-1}>
      <h1>Usage</h1>
      <Filters query={query} isReady={value !== undefined} />
      {value ? <Report view={value} query={query} period={period} /> : placeholder}
    </main>
  )
}

/** The sums for the tiles and most charts. Larger reports are loaded by the parts that show them. */
interface View {
  days: UsageReport
  previous: UsageReport
}

async function loadView(query: UsageQuery): Promise<View> {
  const [days, previous] = await Promise.all([loadUsage(query, 'day'), loadUsage(before(query), 'source')])
  return { days, previous }
}

function Report({ view, query, period }: { view: View; query: UsageQuery; period: Period }): VNode {
  const { days, previous } = view
  if (days.total.requests === 0) return <Empty isFiltered={!!(query.model ?? query.key)} />
  const pointsOf = pointsBy(period, query.tz)
  const onSelect = ({ key }: ChartPoint): void => openRequests({ day: key, model: query.model, key: query.key })
  const daily = (values: (row: UsageRow) => Record<string, number>): ChartPoint[] => pointsOf(days.rows, values)
  return (
    <>
      <Tiles total={days.total} previous={previous.total} />
      <div class="charts">
        <CostChart days={days} query={query} pointsOf={pointsOf} onSelect={onSelect} />
        <BarChart
          title="Tokens by type"
          points={daily(tokensByType)}
          series={tokenTypes}
          format={tokenText}
          onSelect={onSelect}
        />
        <LineChart
          title="Time to the first token and to the end"
          points={daily(times)}
          series={timeNames}
          format={durationText}
          onSelect={onSelect}
        />
        <BarChart
          title="Requests"
          points={daily(outcomes)}
          series={['succeeded', 'failed']}
          format={String}
          onSelect={onSelect}
        />
      </div>
      <div class="charts three">
        <TopTable title="Models" field="model" query={query} />
        <TopTable title="Keys" field="key" query={query} />
        <TopTable title="Chats" field="chat" query={query} />
      </div>
    </>
  )
}

interface CostChartProps {
  days: UsageReport
  query: UsageQuery
  pointsOf: PointsOf
  onSelect: (point: ChartPoint) => void
}

/** Cost by day, divided by model or by type of token. */
function CostChart({ days, query, pointsOf, onSelect }: CostChartProps): VNode {
  const isByType = filters.value.get('cost') === 'type'
  const { value: byModel, error, placeholder } = useLoaded(() => loadUsage(query, 'day,model'), [JSON.stringify(query)])
  const points = isByType
    ? pointsOf(days.rows, costByType)
    : pointsOf(byModel?.rows ?? [], ({ group, usd }) => ({ [group.model || unnamed.model]: Number(usd) }))
  const controls = (
    <div class="segments" role="group" aria-label="Cost by">
      {['model', 'type'].map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={isByType === (name === 'type')}
          onClick={() => setFilters({ cost: name === 'type' ? name : '' })}
        >
          by {name}
        </button>
      ))}
    </div>
  )
  return (
    <BarChart
      key={String(isByType)}
      title={isByType ? 'Cost by type' : 'Cost by model'}
      points={points}
      {...(isByType && { series: costTypes })}
      format={moneyText}
      formatTick={moneyTick}
      controls={controls}
      failure={isByType || !error ? undefined : placeholder}
      onSelect={onSelect}
    />
  )
}

const costTypes = ['input', 'cache write', 'cache read', 'output', 'server tools']

function costByType({ usd_by_type: usd }: UsageRow): Record<string, number> {
  return {
    input: Number(usd.input),
    'cache write': Number(usd.cache_write_5m) + Number(usd.cache_write_1h),
    'cache read': Number(usd.cache_read),
    output: Number(usd.output),
    'server tools': Number(usd.server_tools),
  }
}

const tokenTypes = ['input', 'cache write', 'cache read', 'output']

function tokensByType({ tokens }: UsageRow): Record<string, number> {
  return {
    input: tokens.input,
    'cache write': tokens.cache_write_5m + tokens.cache_write_1h,
    'cache read': tokens.cache_read,
    output: tokens.output,
  }
}

function outcomes({ requests, failed }: UsageRow): Record<string, number> {
  return { succeeded: requests - failed, failed }
}

type PointsOf = (rows: readonly UsageRow[], values: (row: UsageRow) => Record<string, number>) => ChartPoint[]

/** Returns a function that gives every day of the period the values of its rows. */
function pointsBy(period: Period, zone: string): PointsOf {
  const today = dayOf(new Date(), zone)
  return (rows, values) => {
    const byDay = Map.groupBy(rows, ({ group }) => group.day)
    return daysOf(period).map((day) => ({
      key: day,
      label: dayLabel(day),
      isPartial: day === today,
      values: Object.assign({}, ...(byDay.get(day) ?? []).map(values)) as Record<string, number>,
    }))
  }
}

function openRequests(search: Record<string, string | undefined>): void {
  const given = Object.entries(search).filter((entry): entry is [string, string] => !!entry[1])
  navigate(`requests?${new URLSearchParams(given).toString()}`)
}

function Empty({ isFiltered }: { isFiltered: boolean }): VNode {
  if (isFiltered) {
    return (
      <div class="empty">
        <p>No request matches these filters in this period.</p>
        <p>
          <a class="button" href="usage">
            Clear filters
          </a>
        </p>
      </div>
    )
  }
  return (
    <div class="empty">
      <p>There are no requests in this period. Charts of cost, tokens and speed appear here after the first one:</p>
      <p>
        <a class="button" href="./">
          Start a chat
        </a>
      </p>
      <p class="soft">or point a program at this server:</p>
      <pre class="wrap">export ANTHROPIC_BASE_URL={serverUrl}</pre>
    </div>
  )
}
