import { address } from './address.ts'
import { contestants } from './packages.ts'
import { race } from './race.ts'
import { raceTable } from './table.ts'
import { deltasPerMessage } from './wire.ts'

/** Streams of text, in the ways in which events can lie in writes and HTTP chunks. One event a TLS write is the API's. */
export async function* report(): AsyncGenerator<string> {
  const where = await address()
  const { all, official, socketLoop } = await contestants()
  for (const { title, path, secure, iterate, finalMessage, atMostByHand } of works) {
    for (const [kind, atMost] of Object.entries({ iterate, finalMessage })) {
      const task = { kind: kind as 'iterate' | 'finalMessage', path, secure, times: messages }
      const times = await race({ contestants: all, address: where, task })
      const byHand = atMostByHand === undefined ? [] : [{ atMost: atMostByHand, times: socketLoop }]
      yield await raceTable(`${kind}: ${title} (CPU per delta)`, times, {
        count: messages * deltasPerMessage,
        targets: [{ atMost, times: official }, ...byHand],
      })
    }
  }
}

/** The number of streams in one run. */
const messages = 20

interface Work {
  title: string
  path: string
  secure: boolean
  /** The target of a loop over the events, as a multiple of the official client's time. */
  iterate: number
  /** The target of waiting for the message. */
  finalMessage: number
  /** The target of both, as a multiple of the time of the loop on node:net and node:tls. */
  atMostByHand?: number
}

const works: readonly Work[] = [
  {
    title: 'one event per TLS write',
    path: 'paced',
    secure: true,
    iterate: 0.6,
    finalMessage: 0.54,
    atMostByHand: 1.15,
  },
  { title: 'one event a chunk, many chunks a read', path: 'bundled', secure: false, iterate: 0.65, finalMessage: 0.45 },
  { title: 'many events a chunk', path: 'chunked', secure: false, iterate: 0.45, finalMessage: 0.35 },
  { title: 'one event per plain write', path: 'paced', secure: false, iterate: 0.95, finalMessage: 0.95 },
]
