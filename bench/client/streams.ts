import { address } from './address.ts'
import { contestants } from './packages.ts'
import { race } from './race.ts'
import { raceTable } from './table.ts'
import { deltasPerMessage } from './wire.ts'

/** Streams of text: with one event per TLS record, as in production, and with many events per chunk. */
export async function* report(): AsyncGenerator<string> {
  const where = await address()
  const { all, official } = await contestants()
  for (const { title, kind, path, secure, atMost } of works) {
    const task = { kind, path, secure, times: messages }
    const times = await race({ contestants: all, address: where, task })
    const target = { atMost, times: official }
    yield await raceTable(`${title} (CPU per delta)`, times, { count: messages * deltasPerMessage, target })
  }
}

/** The number of streams in one run. */
const messages = 20

const works = [
  {
    title: 'iterate a stream, one event per TLS write',
    kind: 'iterate',
    path: 'paced',
    secure: true,
    atMost: 0.55,
  },
  {
    title: 'stream() and finalMessage(), one event per TLS write',
    kind: 'finalMessage',
    path: 'paced',
    secure: true,
    atMost: 0.5,
  },
  {
    title: 'stream() and finalMessage(), many events a chunk',
    kind: 'finalMessage',
    path: 'chunked',
    secure: false,
    atMost: 0.4,
  },
] as const
