/** About how many steps an axis has. */
const steps = 4

/** Returns round numbers from 0 to at least the largest value. They are whole if all values are, such as those of a count. */
export function ticks(values: readonly number[]): number[] {
  const max = Math.max(0, ...values)
  if (max === 0) return [0, 1]
  const rough = values.every(Number.isInteger) ? Math.max(1, max / steps) : max / steps
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const factors = magnitude === 1 ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]
  const step = magnitude * (factors.find((factor) => factor * magnitude >= rough) ?? 10)
  const length = Math.ceil(max / step - 1e-9) + 1
  return Array.from({ length }, (_, index) => index * step)
}

/** Keeps the seven largest series and adds the others up as `other`. */
export function topSeries<P extends { values: Readonly<Record<string, number>> }>(
  points: readonly P[],
): { series: string[]; points: (P & { values: Record<string, number> })[] } {
  const totals = new Map<string, number>()
  for (const { values } of points) {
    for (const [name, value] of Object.entries(values)) totals.set(name, (totals.get(name) ?? 0) + value)
  }
  const names = [...totals].toSorted(([, a], [, b]) => b - a).map(([name]) => name)
  if (names.length <= maxSeries) return { series: names, points: points.map((point) => ({ ...point })) }
  const series = names.slice(0, maxSeries - 1)
  return { series: [...series, other], points: points.map((point) => ({ ...point, values: folded(point, series) })) }
}

const maxSeries = 8
const other = 'other'

function folded({ values }: { values: Readonly<Record<string, number>> }, series: string[]): Record<string, number> {
  const kept: Record<string, number> = {}
  for (const [name, value] of Object.entries(values)) {
    const key = series.includes(name) ? name : other
    kept[key] = (kept[key] ?? 0) + value
  }
  return kept
}
