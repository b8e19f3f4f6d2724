import type { UsageRow } from '@colloquy/server/access'
import { decimalUsd, formatUsd } from 'colloquy/protocol'
import { tokenText } from '../../format.ts'
import { sortedRows } from './report.ts'
import type { UsageReport } from './usage-report.ts'

const counts = ['requests', 'failed', 'input', 'cache_write_5m', 'cache_write_1h', 'cache_read', 'output'] as const

const times = ['p50_ms', 'p95_ms', 'p99_ms', 'first_p50_ms', 'first_p95_ms', 'first_p99_ms'] as const

/** The report as CSV by RFC 4180, with raw numbers. */
export function csvOf(report: UsageReport): string {
  const header = [...report.by, 'usd', 'saved_usd', 'estimated_usd', 'unpriced', ...counts, ...times]
  const rows = sortedRows(report).map((row) => [
    ...groupCells(report, row),
    decimalUsd(row.cost),
    decimalUsd(row.saved),
    decimalUsd(row.estimated_cost),
    String(row.unpriced),
    ...counts.map((name) => String(row[name])),
    ...[row.latency, row.firstEvent].flatMap(({ p50, p95, p99 }) => [p50, p95, p99].map((ms) => String(ms ?? ''))),
  ])
  return [header, ...rows].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('')
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The report as a Markdown table. */
export function markdownOf(report: UsageReport): string {
  const { period, tz, by, usage } = report
  const header = [...by, 'cost', 'input', 'cache w', 'cache r', 'output', 'requests']
  const cellsOf = (row: UsageRow): string[] => [
    formatUsd(row.cost),
    tokenText(row.input),
    tokenText(row.cache_write_5m + row.cache_write_1h),
    tokenText(row.cache_read),
    tokenText(row.output),
    String(row.requests),
  ]
  const rows = sortedRows(report).map((row) => [...groupCells(report, row), ...cellsOf(row)])
  const total = ['**total**', ...by.slice(1).map(() => ''), ...cellsOf(usage.total)]
  const rule = header.map((_, index) => (index < by.length ? '---' : '---:'))
  const lines = [header, rule, ...rows, total].map((cells) => `| ${cells.map(markdownCell).join(' | ')} |`)
  return [`**Usage · ${period.title} · ${tz}**`, '', ...lines, ''].join('\n')
}

function markdownCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function groupCells({ by, keyNames }: UsageReport, { group }: UsageRow): string[] {
  return by.map((each) => (each === 'key' ? (keyNames.get(group.key ?? '') ?? group.key ?? '') : (group[each] ?? '')))
}
