import { type Row, table, verdict } from '../client/table.ts'
import { colloquy, floor, race, type Racer, racers } from './race.ts'
import type { Outcome } from './worker.ts'

/**
 * The cost of opening a long conversation, and of reading its `messages` too. By hand the rows are read without parsing them,
 * and with.
 */
export async function* report(): AsyncGenerator<string> {
  yield rows('load 10,000 messages (CPU)', await race(racers(), [{ kind: 'load', turns: 5_000 }]))
  yield rows(
    'load 10,000 messages and parse them (CPU)',
    await race([floor, colloquy], [{ kind: 'show', turns: 5_000 }]),
  )
}

function rows(title: string, found: ReadonlyMap<Racer, readonly Outcome[]>): string {
  const base = found.get(floor)![0]!.cpuMs
  const lines = [...found].map(([racer, [outcome]]): Row => {
    const { cpuMs } = outcome!
    const row = { name: racer.name, figures: [`${cpuMs.toFixed(1)} ms`, `${(cpuMs / base).toFixed(2)} ×`] }
    return racer === colloquy ? { ...row, verdict: verdict('≤ 1.5 ×', cpuMs <= base * 1.5) } : row
  })
  return table(title, lines)
}
