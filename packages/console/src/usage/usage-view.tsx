import type { VNode } from 'preact'
import { BarChart } from '../charts/bar-chart.tsx'
import type { ChartPoint } from '../charts/chart.tsx'
import { LineChart } from '../charts/line-chart.tsx'
import { durationText, moneyText, tokenText } from '../format.ts'
import { zoneOf } from '../settings/preferences.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { filters, navigate } from '../shell/router.ts'
import { Filters } from './filters.tsx'
import { type Period, dayLabel, dayOf, daysOf, periodOf, startOf } from './periods.ts'
import { Tiles } from './tiles.tsx'
import { TopTable } from './top-table.tsx'
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
      <Filters options={value} query={query} />
      {value ? <Report view={value} query={query} period={period} /> : placeholder}
    </main>
  )
}

interface View {
  days: UsageReport
  daysByModel: UsageReport
  previous: UsageReport
  models: UsageReport
  keys: UsageReport
  chats: UsageReport
}

async function loadView(query: UsageQuery): Promise<View> {
  const [days, daysByModel, previous, models, keys, chats] = await Promise.all([
    loadUsage(query, 'day'),
    loadUsage(query, 'day,model'),
    loadUsage(before(query), 'day'),
    loadUsage(query, 'model'),
    loadUsage(query, 'key'),
    loadUsage(query, 'chat'),
  ])
  return { days, daysByModel, previous, models, keys, chats }
}

function Report({ view, query, period }: { view: View; query: UsageQuery; period: Period }): VNode {
  const { days, daysByModel, previous, models, keys, chats } = view
  if (days.total.requests === 0) return <Empty isFiltered={!!(query.model ?? query.key)} />
  const pointsOf = pointsBy(period, query.tz)
  const onSelect = ({ key }: ChartPoint): void => openRequests({ day: key, model: query.model, key: query.key })
  const daily = (values: (row: UsageRow) => Record<string, number>): ChartPoint[] => pointsOf(days.rows, values)
  const costs = pointsOf(daysByModel.rows, ({ group, usd }) => ({ [group.model ?? 'unknown']: Number(usd) }))
  return (
    <>
      <Tiles total={days.total} previous={previous.total} />
      <div class="charts">
        <BarChart title="Cost by model" points={costs} format={moneyText} onSelect={onSelect} />
        <BarChart
          title="Tokens by type"
          points={daily(tokensByType)}
          series={tokenTypes}
          format={tokenText}
          onSelect={onSelect}
        />
        <LineChart
          title="Time to the end of the reply"
          points={daily(times)}
          series={['p50', 'p95']}
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
      <div class="charts">
        <TopTable title="Models" field="model" report={models} />
        <TopTable title="Chats" field="chat" report={chats} />
        <TopTable title="Keys" field="key" report={keys} />
      </div>
    </>
  )
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

function times({ latency: { p50_ms: p50, p95_ms: p95 } }: UsageRow): Record<string, number> {
  return { ...(p50 !== null && { p50 }), ...(p95 !== null && { p95 }) }
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
  navigate(`/requests?${new URLSearchParams(given).toString()}`)
}

function Empty({ isFiltered }: { isFiltered: boolean }): VNode {
  if (isFiltered) {
    return (
      <div class="empty">
        <p>No request matches these filters in this period.</p>
        <p>
          <a class="button" href="/usage">
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
        <a class="button" href="/">
          Start a chat
        </a>
      </p>
      <p class="soft">or point a program at this server:</p>
      <pre>export ANTHROPIC_BASE_URL={location.origin}</pre>
    </div>
  )
}
