import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The file is cut back to so many entries when it has twice as many. */
const maxEntries = 1000

/** What was typed before, oldest first, each entry once at its latest place. A file that cannot be read is no history. */
export function readHistory(path: string): string[] {
  try {
    const entries = readFileSync(path, 'utf8').split('\n').flatMap(entryOf)
    const latest = [...new Set(entries.toReversed())].toReversed().slice(-maxEntries)
    if (entries.length > 2 * maxEntries) writeFileSync(path, latest.map(lineOf).join(''), { mode: 0o600 })
    return latest
  } catch {
    return []
  }
}

/** Adds what was typed; a leading space keeps it out. Whoever cannot write a history can still talk. */
export function appendHistory(path: string, entry: string): void {
  if (entry.startsWith(' ')) return
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    appendFileSync(path, lineOf(entry), { mode: 0o600 })
    // The mode above counts only for a new file.
    chmodSync(path, 0o600)
  } catch {}
}

function lineOf(entry: string): string {
  return `${JSON.stringify(entry)}\n`
}

function entryOf(line: string): string[] {
  if (line === '') return []
  try {
    const entry: unknown = JSON.parse(line)
    return typeof entry === 'string' ? [entry] : []
  } catch {
    // A line that a crash cut short.
    return []
  }
}
