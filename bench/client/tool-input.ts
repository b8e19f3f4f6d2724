import { address } from './address.ts'
import { contestants } from './packages.ts'
import { longestRunMs, race } from './race.ts'
import { raceTable, verdict } from './table.ts'

/**
 * A tool input in pieces of 20 characters: with a listener for the input parsed so far if the client has one, and in a
 * loop over the pieces.
 */
export async function* report(): AsyncGenerator<string> {
  const where = await address()
  const { all, colloquy, loop, official } = await contestants()
  const perByte: number[] = []
  for (const { bytes, times: count } of sizes) {
    const task = { kind: 'toolInput', path: `tool/${bytes}`, times: count } as const
    const times = await race({ contestants: all, address: where, task, rounds: 5 })
    perByte.push(times.get(colloquy)! / count / bytes)
    const title = `tool input of ${bytes / 1000} KB with a listener (CPU per message; cut off: a run of ${count} took more than ${longestRunMs / 1000} s)`
    yield await raceTable(title, times, { count, targets: [{ atMost: 5, times: loop }] })
  }
  const growth = perByte.at(-1)! / perByte[0]!
  yield `tool input: a byte of 1 MB costs ${growth.toFixed(2)} × one of 50 KB. ${verdict('linear', growth < 2)}`
  const task = { kind: 'iterateToolInput', path: 'tool/200000', times: 4 } as const
  yield await raceTable(
    'iterate a tool input of 200 KB (CPU per message)',
    await race({ contestants: all, address: where, task }),
    { count: task.times, targets: [{ atMost: 0.4, times: official }] },
  )
}

const sizes = [
  { bytes: 50_000, times: 4 },
  { bytes: 200_000, times: 1 },
  { bytes: 1_000_000, times: 1 },
] as const
