import { type Row, table, verdict } from '../client/table.ts'
import { budget, colloquy, floor, race, racers, store, warmUp } from './race.ts'

const places = [10, 100, 1_000, 3_000]

/**
 * The cost of a turn of 2 KB after a number of earlier turns, compared with the same rows written by hand. The events
 * of the reply are prepared in advance; processing them is measured.
 */
export async function* report(): AsyncGenerator<string> {
  const found = await race(
    [...racers(), budget],
    places.map((turns) => ({ kind: 'turns', turns })),
  )
  const base = found.get(floor)!
  const titles = places.map((turns) => turns.toLocaleString('en')).join(', ')
  const cpu = [...found].map(([racer, outcomes]): Row => {
    const ratios = outcomes.map(({ cpuMs }, place) => cpuMs / base[place]!.cpuMs)
    const figures = outcomes.map(
      ({ cpuMs }, place) => `${cpuMs.toFixed(3)} ms ${ratios[place]!.toFixed(2).padStart(7)} ×`,
    )
    return racer === colloquy
      ? { name: racer.name, figures, verdict: verdict('≤ 1.6 ×', Math.max(...ratios) <= 1.6) }
      : { name: racer.name, figures }
  })
  yield table(`a turn of 2 KB after ${titles} turns (CPU)`, cpu)
  yield await warmTurns()
  if (base[0]!.bytes === undefined) return
  const bytes = [...found].map(([racer, outcomes]): Row => {
    const ratios = outcomes.map((outcome, place) => outcome.bytes! / base[place]!.bytes!)
    const figures = outcomes.map(
      (outcome, place) => `${kilobytes(outcome.bytes!)} ${ratios[place]!.toFixed(2).padStart(7)} ×`,
    )
    return racer === colloquy
      ? { name: racer.name, figures, verdict: verdict('≤ 0.25 ×', Math.max(...ratios) <= 0.25) }
      : { name: racer.name, figures }
  })
  yield table(`a turn of 2 KB after ${titles} turns (bytes handed to the disk, log and checkpoints included)`, bytes)
}

/** The cost of a turn once V8 has compiled what it uses. */
async function warmTurns(): Promise<string> {
  const found = await race([floor, store, colloquy], [{ kind: 'turns', turns: 100, warmUp }])
  const [base] = found.get(floor)!
  const rows = [...found].map(([racer, [outcome]]): Row => {
    const ratio = outcome!.cpuMs / base!.cpuMs
    const figures = [`${outcome!.cpuMs.toFixed(3)} ms ${ratio.toFixed(2).padStart(7)} ×`]
    return racer === colloquy
      ? { name: racer.name, figures, verdict: verdict('≤ 1.6 ×', ratio <= 1.6) }
      : { name: racer.name, figures }
  })
  return table(`the same after 100 turns, in a process that has made ${warmUp.toLocaleString('en')} (CPU)`, rows)
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}
