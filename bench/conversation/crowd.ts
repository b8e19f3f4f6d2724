import { type Row, table, verdict } from '../client/table.ts'
import { colloquy, grouped, race } from './race.ts'

/** Turns of 200 conversations at once, on one SQLite file. */
export async function* report(): AsyncGenerator<string> {
  const found = await race([grouped, colloquy], [{ kind: 'crowd', turns: 10 }])
  const [byHand] = found.get(grouped)!
  const rows = [...found].map(([racer, [outcome]]): Row => {
    const { cpuMs, bytes, wallMs } = outcome!
    const rate = 1000 / wallMs
    const figures = [
      `${Math.round(rate).toLocaleString('en')} a second`,
      `${(byHand!.wallMs / wallMs).toFixed(2)} ×`,
      `${cpuMs.toFixed(3)} ms CPU`,
      bytes === undefined ? '' : `${(bytes / 1000).toFixed(1)} kB`,
    ]
    return racer === colloquy
      ? { name: racer.name, figures, verdict: verdict('≥ 12,000', rate >= 12_000) }
      : { name: racer.name, figures }
  })
  yield table('turns of 2 KB in 200 conversations at once', rows)
}
