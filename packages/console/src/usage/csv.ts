import type { UsageRow } from './usage-data.ts'

/** One line for each day and model, with numbers as they are. */
export function csvOf(rows: readonly UsageRow[]): string {
  const header =
    'day,model,usd,estimated_usd,requests,failed,unpriced,input,cache_write_5m,cache_write_1h,cache_read,output'
  const lines = rows.map(({ group, usd, estimated, requests, failed, unpriced, tokens }) => [
    group.day ?? '',
    group.model ?? '',
    usd,
    estimated.usd,
    requests,
    failed,
    unpriced,
    tokens.input,
    tokens.cache_write_5m,
    tokens.cache_write_1h,
    tokens.cache_read,
    tokens.output,
  ])
  return [header, ...lines.map((line) => line.map(cell).join(',')), ''].join('\n')
}

/** Quotes a value if needed. A leading sign that a spreadsheet would take for a formula is quoted too. */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
