import { type Row, table, verdict } from '../client/table.ts'
import { colloquy, floor, race, racers } from './race.ts'

/** The cost of opening a long conversation. The hand-written contestant reads the rows without parsing them. */
export async function* report(): AsyncGenerator<string> {
  const found = await race(racers(), [{ kind: 'load', turns: 5_000 }])
  const base = found.get(floor)![0]!.cpuMs
  const rows = [...found].map(([racer, [outcome]]): Row => {
    const { cpuMs } = outcome!
    const row = { name: racer.name, figures: [`${cpuMs.toFixed(1)} ms`, `${(cpuMs / base).toFixed(2)} ×`] }
    return racer === colloquy ? { ...row, verdict: verdict('≤ 1.5 ×', cpuMs <= base * 1.5) } : row
  })
  yield table('load 10,000 messages (CPU)', rows)
}
