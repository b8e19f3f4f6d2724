import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder } from '../../file-paths.ts'

/** The most entries to keep. The file is shortened when it has twice as many. */
const maxEntries = 1000

/** Reads the lines typed before, oldest first. A repeated line counts only once, at its last place. Never throws. */
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

/** Adds a line, unless it begins with a space. Never throws: a chat also works without a history. */
export function appendHistory(path: string, entry: string): void {
  if (entry.startsWith(' ')) return
  try {
    makeFolder(dirname(path), { mode: 0o700 })
    appendFileSync(path, lineOf(entry), { mode: 0o600 })
    // The mode option applies only to a new file.
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
    // A crash can leave an incomplete line.
    return []
  }
}
