import { type Row, table, verdict } from '../client/table.ts'
import { colloquy, grouped, race, warmUp } from './race.ts'

/** 12,000 turns a second where the same rows by hand are 26,000 to 33,000, as they were when the aim was set. */
const leastShare = 0.41

/** Turns of 200 conversations at once, on one SQLite file. */
export async function* report(): AsyncGenerator<string> {
  const found = await race(
    [grouped, colloquy],
    [
      { kind: 'crowd', turns: 10 },
      { kind: 'crowd', turns: 10, warmUp },
    ],
  )
  const titles = [
    'turns of 2 KB in 200 conversations at once',
    `the same in a process that has made ${warmUp.toLocaleString('en')} turns`,
  ]
  for (const [place, title] of titles.entries()) {
    const byHand = found.get(grouped)![place]!
    const rows = [...found].map(([racer, outcomes]): Row => {
      const { cpuMs, bytes, wallMs } = outcomes[place]!
      const share = byHand.wallMs / wallMs
      const figures = [
        `${Math.round(1000 / wallMs).toLocaleString('en')} a second`,
        `${share.toFixed(2)} ×`,
        `${cpuMs.toFixed(3)} ms CPU`,
        bytes === undefined ? '' : `${(bytes / 1000).toFixed(1)} kB`,
      ]
      return racer === colloquy
        ? { name: racer.name, figures, verdict: verdict(`≥ ${leastShare} ×`, share >= leastShare) }
        : { name: racer.name, figures }
    })
    yield table(title, rows)
  }
}
