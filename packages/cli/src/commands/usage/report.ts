import type { Grouping, UsageRow } from '@colloquy/server/access'
import { formatUsd, models as catalogue } from 'colloquy/protocol'
import { countText, latencyText, tokenText } from '../../format.ts'
import { widthOf } from '../../terminal/width.ts'
import type { UsageReport } from './usage-report.ts'

/** How a report fits into the terminal. */
export interface ReportLayout {
  columns: number
  /** Whether costs have bars. */
  hasChart: boolean
  /** The most rows. */
  top: number
  /** Whether rows show the cost of the period before. */
  compares: boolean
}

const barCells = 12
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** The report as lines of text. */
export function reportOf(report: UsageReport, layout: ReportLayout): string[] {
  const { period, tz, filters } = report
  const shown = ['key', 'model', 'source'] as const
  const parts = shown.map((name) => (filters[name] === undefined ? '' : `${name} ${filters[name]}`)).filter(Boolean)
  const title = `Usage · ${period.title} · ${tz}${parts.length === 0 ? '' : ` · ${parts.join(' · ')}`}`
  const rows = sortedRows(report)
  const shownRows = rows.slice(0, layout.top)
  const table = layout.columns < 50 ? listLines(report, shownRows) : tableLines(report, shownRows, layout)
  const hidden = rows.length - shownRows.length
  return [
    title,
    summaryLine(report),
    '',
    ...table,
    ...(hidden > 0 ? [` … ${countText(hidden, 'more row')}`] : []),
    '',
    ...modelLines(report),
    ...notes(report),
  ]
}

const timeGroupings: readonly Grouping[] = ['hour', 'day', 'month']

/** Rows by time in its order; others by cost, the highest first. */
export function sortedRows({ usage, by }: UsageReport): UsageRow[] {
  const isTime = by.some((each) => timeGroupings.includes(each))
  const name = (row: UsageRow): string => JSON.stringify(by.map((each) => row.group[each]))
  return usage.rows.toSorted((a, b) => {
    if (isTime) return name(a) < name(b) ? -1 : 1
    return a.cost === b.cost ? b.requests - a.requests : Number(b.cost - a.cost)
  })
}

function summaryLine({ usage: { total }, before, period }: UsageReport): string {
  const { requests, failed, saved, latency } = total
  const { p50, p95 } = latency
  return [
    costText(total) + changeText(total, before?.total, period.before),
    `${countText(requests, 'request')}${failed > 0 ? ` · ${failed} failed` : ''}`,
    ...(saved > 0n ? [`cache saved ${formatUsd(saved)}`] : []),
    ...(p50 === null || p95 === null ? [] : [`p50 ${latencyText(p50)}  p95 ${latencyText(p95)}`]),
  ].join('   ')
}

function changeText(now: UsageRow, before: UsageRow | undefined, name: string): string {
  if (before === undefined || before.cost === 0n) return ''
  const percent = Math.round((Number(now.cost - before.cost) / Number(before.cost)) * 100)
  return `  (${name} ${formatUsd(before.cost)}, ${percent < 0 ? '' : '+'}${percent}%)`
}

function costText({ cost, estimated, unpriced }: UsageRow): string {
  if (cost === 0n && unpriced > 0) return 'no price'
  return `${estimated > 0 ? '≈' : ''}${formatUsd(cost)}`
}

interface Column {
  name: string
  of: (row: UsageRow) => string
  /** Wide columns go first in a narrow terminal. */
  leavesBelow: number
  isLeft?: boolean
}

function tableLines(report: UsageReport, rows: readonly UsageRow[], layout: ReportLayout): string[] {
  const { usage, by } = report
  const total: UsageRow = usage.total
  const columns = columnsOf(report, layout, rows)
  const shownRows = rows.flatMap((row) => [row, ...splitsOf(row, report)])
  const cells = [
    columns.map(({ name }) => name),
    ...shownRows.map((row) => columns.map((column) => column.of(row))),
    columns.map((column, index) => (index === 0 ? 'total' : index < by.length ? '' : column.of(total))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => widthOf(row[index]!))))
  const lines = cells.map((row) =>
    ` ${row.map((cell, index) => aligned(cell, widths[index]!, columns[index]!.isLeft ?? false)).join('  ')}`.trimEnd(),
  )
  const rule = layout.hasChart ? ' ──────' : ''
  return [lines[0]!, ...lines.slice(1, -1), ...(rule === '' ? [] : [rule]), lines.at(-1)!]
}

/** The parts of a row by model, if asked for, the most expensive first. */
function splitsOf({ group }: UsageRow, { by, splits }: UsageReport): UsageRow[] {
  const isPart = (row: UsageRow): boolean => by.every((each) => row.group[each] === group[each])
  return (splits?.rows.filter(isPart) ?? []).toSorted((a, b) => Number(b.cost - a.cost))
}

function columnsOf(report: UsageReport, layout: ReportLayout, rows: readonly UsageRow[]): Column[] {
  const { by } = report
  const highest = rows.reduce((most, { cost }) => (cost > most ? cost : most), 0n)
  const before = previousCosts(report)
  const today = new Intl.DateTimeFormat('sv-SE', { timeZone: report.tz, dateStyle: 'short' }).format(report.now)
  const hasToday = rows.some(({ group }) => group.day === today)
  const columns: Column[] = [
    ...by.map((each) => ({
      name: each,
      of: (row: UsageRow) => labelOf(row, each, report),
      leavesBelow: 0,
      isLeft: true,
    })),
    { name: 'cost', of: costText, leavesBelow: 0 },
    ...(layout.hasChart
      ? [
          {
            name: '',
            of: (row: UsageRow) => (row === report.usage.total ? '' : bar(row.cost, highest)),
            leavesBelow: 58,
            isLeft: true,
          },
        ]
      : []),
    ...(layout.compares ? [{ name: 'before', of: before, leavesBelow: 0 }] : []),
    { name: 'input', of: ({ input }) => tokenText(input), leavesBelow: 0 },
    { name: 'cache w', of: (row) => tokenText(row.cache_write_5m + row.cache_write_1h), leavesBelow: 80 },
    { name: 'cache r', of: ({ cache_read }) => tokenText(cache_read), leavesBelow: 70 },
    { name: 'output', of: ({ output }) => tokenText(output), leavesBelow: 0 },
    { name: 'req', of: ({ requests }) => String(requests), leavesBelow: 0 },
    // The day is not over.
    ...(hasToday
      ? [{ name: '', of: (row: UsageRow) => (row.group.day === today ? 'today' : ''), leavesBelow: 70, isLeft: true }]
      : []),
  ]
  return columns.filter(({ leavesBelow }) => layout.columns >= leavesBelow)
}

/** The cost of the period before: of the same group, or of the time at the same place. */
function previousCosts(report: UsageReport): (row: UsageRow) => string {
  const { usage, before, by } = report
  if (before === undefined) return () => ''
  const isTime = by.some((each) => timeGroupings.includes(each))
  const [now, earlier] = [sortedRows(report), sortedRows({ ...report, usage: before })]
  return (row) => {
    if (row === usage.total) return formatUsd(before.total.cost)
    const found = isTime
      ? earlier[now.indexOf(row)]
      : earlier.find(({ group }) => JSON.stringify(group) === JSON.stringify(row.group))
    return found === undefined ? '' : formatUsd(found.cost)
  }
}

/** The name of a row in a column of its group. */
function labelOf({ group }: UsageRow, by: Grouping, { by: fields, keyNames, period }: UsageReport): string {
  if (group.model !== undefined && !fields.includes('model')) return `  ${group.model}`
  const value = group[by] ?? ''
  if (by === 'key') return value === '' ? '(no key)' : (keyNames.get(value) ?? value)
  if (value === '') return '(none)'
  if (by !== 'day') return value
  const isLong = period.until - period.since > 31 * 86_400_000
  if (isLong) return value
  const date = new Date(`${value}T00:00:00Z`)
  return `${date.toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' })} ${value.slice(8)}`
}

function bar(cost: bigint, highest: bigint): string {
  if (highest === 0n || cost <= 0n) return ''
  const cells = Math.max(1, Math.round((Number(cost) / Number(highest)) * barCells * 8))
  return '█'.repeat(Math.floor(cells / 8)) + eighths[cells % 8]!
}

function aligned(text: string, width: number, isLeft: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return isLeft ? text + space : space + text
}

/** For terminals too narrow for a table. */
function listLines(report: UsageReport, rows: readonly UsageRow[]): string[] {
  return rows.flatMap((row) => [
    report.by.map((each) => labelOf(row, each, report)).join(' · '),
    `  cost: ${costText(row)}`,
    `  tokens: ${tokenText(row.input)} in, ${tokenText(row.output)} out`,
    `  requests: ${row.requests}`,
  ])
}

function modelLines({ models, usage, by }: UsageReport): string[] {
  const priced = models.rows.filter(({ cost }) => cost > 0n).toSorted((a, b) => Number(b.cost - a.cost))
  if (by.includes('model') || priced.length === 0) return []
  const shown = priced.slice(0, 8)
  const width = Math.max(5, ...shown.map(({ group }) => widthOf(group.model!)))
  const lines = shown.map((row) => {
    const share = Math.round((Number(row.cost) / Number(usage.total.cost)) * 100)
    return ` ${aligned(row.group.model!, width, true)}  ${costText(row).padStart(8)}  ${String(share).padStart(4)}%`
  })
  return [` ${aligned('model', width, true)}      cost  share`, ...lines]
}

/** The models that have no price, with the requests that they replied to. */
export function unpricedModels({ models }: UsageReport): UsageRow[] {
  return models.rows.filter(({ unpriced }) => unpriced > 0)
}

/** All tokens of a row. */
export function tokensOf(
  row: Pick<UsageRow, 'input' | 'cache_write_5m' | 'cache_write_1h' | 'cache_read' | 'output'>,
): number {
  return row.input + row.cache_write_5m + row.cache_write_1h + row.cache_read + row.output
}

/** The first day of the newest price that is in force, in UTC. */
export function priceVersion({ now }: UsageReport): string {
  const today = new Date(now).toISOString().slice(0, 10)
  const days = catalogue.flatMap(({ prices }) => prices.map(({ from }) => from))
  return days.filter((day) => day <= today).reduce((a, b) => (a > b ? a : b), '')
}

function notes(report: UsageReport): string[] {
  const { repriced, by } = report
  const { estimated, estimated_cost } = report.usage.total
  const unpriced = unpricedModels(report).map((row) => {
    return `${row.group.model} (${countText(row.unpriced, 'request')}, ${tokenText(tokensOf(row))} tokens)`
  })
  return [
    ...(by.includes('type') ? ['A request has tokens of several types, so each of its rows counts it.'] : []),
    ...(estimated > 0
      ? [
          `≈ includes ${estimated} interrupted ${estimated === 1 ? 'reply' : 'replies'} (about ${formatUsd(estimated_cost)})`,
        ]
      : []),
    ...(unpriced.length > 0 ? [`no price: ${unpriced.join(', ')}`] : []),
    repriced === undefined
      ? `Prices of the day of each request; the newest price list is of ${priceVersion(report)}. --reprice calculates them again.`
      : `by today's prices: ${formatUsd(repriced.after)}, was ${formatUsd(repriced.before)} (${countText(repriced.requests, 'request')} whose details are kept)`,
  ]
}
