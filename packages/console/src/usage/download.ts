import { saveFile } from '../shell/save-file.ts'
import { notify } from '../shell/status.tsx'
import { csvOf } from './csv.ts'
import { type UsageQuery, loadUsage } from './usage-data.ts'

/** Saves the usage by day and model as a file. */
export async function download(query: UsageQuery, type: 'csv' | 'json'): Promise<void> {
  try {
    const report = await loadUsage(query, 'day,model')
    const text = type === 'csv' ? csvOf(report.rows) : `${JSON.stringify(report, null, 2)}\n`
    saveFile(new Blob([text], { type: type === 'csv' ? 'text/csv' : 'application/json' }), `usage.${type}`)
  } catch (error) {
    notify(`Cannot save the usage: ${(error as Error).message}`)
  }
}
