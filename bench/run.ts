/** One way of doing the work of a benchmark. */
export interface Contestant {
  name: string
  /** Does the work once. Results are compared, so that no contestant is fast because it does less. */
  run(): unknown
}

export interface Benchmark {
  title: string
  /** The number of items in one run, and their name: `{ count: 100_000, of: 'event' }`. */
  work: { count: number; of: string }
  /** The others are compared with the first. */
  contestants: readonly [Contestant, ...Contestant[]]
  /** The number of rounds. Default 7. */
  rounds?: number
}

export interface Result {
  title: string
  rows: { name: string; cpuMs: number; perUnitUs: number; ratio: number }[]
}

/**
 * Runs the contestants in turn (A B C, B C A, …) after two rounds that do not count, and takes the median of each one's
 * CPU time (of all threads, so it includes garbage collection). On a busy machine the ratios within one run are
 * reliable, the milliseconds are not.
 */
export async function measure({ title, work, contestants, rounds = 7 }: Benchmark): Promise<Result> {
  const times = contestants.map((): number[] => [])
  const expected = JSON.stringify(await contestants[0].run())
  for (let round = -2; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (turn + round + 2) % contestants.length
      const contestant = contestants[index]!
      globalThis.gc?.()
      const before = process.cpuUsage()
      const found = JSON.stringify(await contestant.run())
      const { user, system } = process.cpuUsage(before)
      if (found !== expected) throw new Error(`${contestant.name} did other work: ${found} instead of ${expected}`)
      if (round >= 0) times[index]!.push((user + system) / 1000)
    }
  }
  const medians = times.map(median)
  const rows = contestants.map(({ name }, index) => {
    const cpuMs = medians[index]!
    return { name, cpuMs, perUnitUs: (cpuMs * 1000) / work.count, ratio: cpuMs / medians[0]! }
  })
  return { title: `${title} (CPU, per ${work.of})`, rows }
}

/** Formats the result as a table. */
export function format({ title, rows }: Result): string {
  const width = Math.max(...rows.map((row) => row.name.length))
  const lines = rows.map(
    ({ name, cpuMs, perUnitUs, ratio }) =>
      `  ${name.padEnd(width)}  ${cpuMs.toFixed(1).padStart(9)} ms  ${perUnitUs.toFixed(2).padStart(9)} µs  ${ratio.toFixed(2).padStart(6)} ×`,
  )
  return [title, ...lines].join('\n')
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
