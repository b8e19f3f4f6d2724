import { type Row, table, verdict } from '../client/table.ts'
import { colloquy, floor, race, racers } from './race.ts'

const places = [10, 100, 1_000, 3_000]

/**
 * The cost of a turn of 2 KB after a number of earlier turns, compared with the same rows written by hand. The events
 * of the reply are prepared in advance; processing them is measured.
 */
export async function* report(): AsyncGenerator<string> {
  const found = await race(
    racers(),
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

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}
