import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from '../run.ts'
import { address } from './address.ts'
import { contestants } from './packages.ts'
import { type Row, table, verdict } from './table.ts'
import type { Held } from './holder.ts'

/** The memory of an open, idle stream, after a request of 100 KB and three deltas. */
export async function* report(): AsyncGenerator<string> {
  const { http } = await address()
  const { all, colloquy } = await contestants()
  const runs = all.map((contestant) => ({ contestant, held: [] as Held[] }))
  for (let round = 0; round < 3; round++) {
    for (const { contestant, held } of runs) {
      const file = fileURLToPath(new URL('holder.ts', import.meta.url))
      const parameters = ['--expose-gc', file, contestant.contestant, contestant.entry ?? '', `${http}/idle`]
      held.push(JSON.parse(execFileSync(process.execPath, parameters, { encoding: 'utf8' })) as Held)
    }
  }
  const rows = runs.map(({ contestant, held }): Row => {
    const of = (name: keyof Held): number => median(held.map((each) => each[name])) / 1000
    const figures = [
      `${of('heapBytes').toFixed(1)} KB heap`,
      `${of('externalBytes').toFixed(1)} KB buffers`,
      `${of('rssBytes').toFixed(1)} KB resident`,
    ]
    if (contestant !== colloquy) return { name: contestant.name, figures }
    const isMet = of('heapBytes') <= 12 && of('rssBytes') <= 40
    return { name: contestant.name, figures, verdict: verdict('≤ 12 KB heap and ≤ 40 KB resident', isMet) }
  })
  yield table('an idle stream after a request of 100 KB (memory per stream)', rows)
}
