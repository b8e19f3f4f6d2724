import { address } from './address.ts'
import { contestants } from './packages.ts'
import { race } from './race.ts'
import { raceTable } from './table.ts'

/** Requests without streaming: many small ones, and the turns of a long conversation. */
export async function* report(): AsyncGenerator<string> {
  const where = await address()
  const { all, official } = await contestants()
  const small = { kind: 'create', path: 'whole', times: 640, inFlight: 32 } as const
  yield await raceTable(
    'create() of 2 KB, 32 in flight (CPU per request)',
    await race({ contestants: all, address: where, task: small }),
    { count: small.times, targets: [{ atMost: 0.15, times: official }] },
  )
  const turns = { kind: 'turns', path: 'whole', times: 10 } as const
  yield await raceTable(
    'a turn on a history of 5 MB, whole request (CPU per turn)',
    await race({ contestants: all, address: where, task: turns }),
    { count: turns.times, targets: [{ atMostMs: 3 }] },
  )
}
