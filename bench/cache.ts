import { policies } from './cache/policies.ts'
import { type Population, mixed, regular, withTools } from './cache/population.ts'
import { type Policy, optimum, simulate } from './cache/simulator.ts'

/**
 * The cost of each cache breakpoint policy by the documented billing rules: of chats divided by the optimum with knowledge of
 * the future, of turns with tools divided by the cheapest fixed policy.
 */
export async function* report(): AsyncGenerator<string> {
  for (const readFactor of [0.1, 0.05, 0.025]) {
    yield table(`prompt cache, reads at ${readFactor} ×, cost ÷ optimum`, chats, (runs, policy) =>
      costRatio(runs, policy, readFactor),
    )
  }
  for (const readFactor of [0.1, 0.05, 0.025]) {
    yield table(`with tools, reads at ${readFactor} ×, cost ÷ best fixed`, agents, (runs, policy) => {
      const fixed = Object.entries(policies).filter(([name]) => !name.startsWith('colloquy'))
      return costOf(runs, policy, readFactor) / Math.min(...fixed.map(([, each]) => costOf(runs, each, readFactor)))
    })
  }
}

const chats: Record<string, readonly Population[]> = {
  'back to back': [regular({ turns: 200, gapMs: 42_000 })],
  '20 minutes apart': [regular({ turns: 200, gapMs: 20 * 60_000 })],
  mixed: Array.from({ length: 10 }, (_, seed) => mixed(seed)),
  'mostly at once': [mixed(11, [0.9, 0.07, 0.03])],
  'mostly pausing': [mixed(12, [0.1, 0.8, 0.1])],
  'mostly slow': [mixed(13, [0.1, 0.2, 0.7])],
}

const agents: Record<string, readonly Population[]> = {
  'quick users': [withTools(1), withTools(2)],
  'mixed users': [withTools(3, [1 / 2, 1 / 3, 1 / 6])],
  'mostly at once': [withTools(4, [0.95, 0.04, 0.01])],
  'mostly slow': [withTools(5, [0.1, 0.3, 0.6])],
}

function table(
  title: string,
  populations: Record<string, readonly Population[]>,
  figure: (runs: readonly Population[], policy: Policy) => number,
): string {
  const head = title.padEnd(48) + Object.keys(populations).map(column).join('')
  const rows = Object.entries(policies).map(([name, policy]) => {
    const figures = Object.values(populations).map((runs) => figure(runs, policy).toFixed(3))
    return `  ${name.padEnd(46)}${figures.map(column).join('')}`
  })
  return [head, ...rows].join('\n')
}

/** The cost of the populations under the policy. */
export function costOf(runs: readonly Population[], policy: Policy, readFactor: number): number {
  return runs.reduce((sum, population) => sum + simulate(population, policy, readFactor), 0)
}

/** The cost of the populations under the policy, divided by the least possible cost. */
export function costRatio(runs: readonly Population[], policy: Policy, readFactor: number): number {
  return costOf(runs, policy, readFactor) / runs.reduce((sum, population) => sum + optimum(population, readFactor), 0)
}

function column(text: string): string {
  return text.padStart(18)
}
