import { contestants, type Package } from './packages.ts'
import type { Times } from './race.ts'

export interface Row {
  name: string
  figures: readonly string[]
  /** Whether the target was reached, in words. */
  verdict?: string
}

export function table(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length))
  const widths = rows[0]!.figures.map((_, column) => Math.max(...rows.map(({ figures }) => figures[column]!.length)))
  const lines = rows.map(({ name, figures, verdict = '' }) => {
    const columns = figures.map((figure, column) => figure.padStart(widths[column]!))
    return `  ${name.padEnd(width)}  ${columns.join('   ')}   ${verdict}`.trimEnd()
  })
  return [title, ...lines].join('\n')
}

export function verdict(target: string, met: boolean): string {
  return `target ${target}: ${met ? 'met' : 'NOT met'}`
}

/** The target of a race: at most a multiple of another contestant's time, or a number of milliseconds per item. */
export type Target = { atMost: number; times: Package } | { atMostMs: number }

/**
 * Formats the times of a race as a table. A run handles `count` items; ratios are relative to the contestant of the
 * first target.
 */
export async function raceTable(
  title: string,
  times: Times,
  { count, targets }: { count: number; targets: readonly [Target, ...Target[]] },
): Promise<string> {
  const { official, colloquy } = await contestants()
  const base = times.get('times' in targets[0] ? targets[0].times : official)!
  const rows = [...times].map(([contestant, cpuMs]): Row => {
    if (cpuMs === undefined) return { name: contestant.name, figures: ['cut off', ''] }
    const row = { name: contestant.name, figures: [time(cpuMs / count), `${(cpuMs / base).toFixed(2)} ×`] }
    if (contestant !== colloquy) return row
    return { ...row, verdict: targets.map((target) => judged(cpuMs, count, { times, target })).join('; ') }
  })
  return table(title, rows)
}

function judged(cpuMs: number, count: number, { times, target }: { times: Times; target: Target }): string {
  if ('atMostMs' in target) return verdict(`≤ ${target.atMostMs} ms`, cpuMs / count <= target.atMostMs)
  const base = times.get(target.times)!
  return verdict(`≤ ${target.atMost} × ${target.times.name}`, cpuMs <= base * target.atMost)
}

function time(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toFixed(2)} µs` : `${ms.toFixed(2)} ms`
}
