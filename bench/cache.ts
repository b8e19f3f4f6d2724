import { policies } from './cache/policies.ts'
import { type Population, mixed, regular } from './cache/population.ts'
import { type Policy, optimum, simulate } from './cache/simulator.ts'

/**
 * The cost of each cache breakpoint policy by the documented billing rules, divided by the optimum with knowledge of
 * the future.
 */
export async function* report(): AsyncGenerator<string> {
  for (const readFactor of [0.1, 0.05, 0.025]) {
    const title = `prompt cache, reads at ${readFactor} ×, cost ÷ optimum`
    const head = title.padEnd(48) + Object.keys(populations).map(column).join('')
    const rows = Object.entries(policies).map(([name, policy]) => {
      const ratios = Object.values(populations).map((runs) => costRatio(runs, policy, readFactor).toFixed(3))
      return `  ${name.padEnd(46)}${ratios.map(column).join('')}`
    })
    yield [head, ...rows].join('\n')
  }
}

const populations: Record<string, readonly Population[]> = {
  'back to back': [regular({ turns: 200, gapMs: 42_000 })],
  '20 minutes apart': [regular({ turns: 200, gapMs: 20 * 60_000 })],
  mixed: Array.from({ length: 10 }, (_, seed) => mixed(seed)),
}

/** The cost of the populations under the policy, divided by the least possible cost. */
export function costRatio(runs: readonly Population[], policy: Policy, readFactor: number): number {
  const cost = runs.reduce((sum, population) => sum + simulate(population, policy, readFactor), 0)
  return cost / runs.reduce((sum, population) => sum + optimum(population, readFactor), 0)
}

function column(text: string): string {
  return text.padStart(18)
}
