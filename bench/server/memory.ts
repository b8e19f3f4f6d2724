import { setTimeout } from 'node:timers/promises'
import { type Row, table, verdict } from '../client/table.ts'
import { type Contestant, Running, contestants, library, serve, upstreamUrl } from './contestants.ts'
import { Connection } from './traffic.ts'

const slowStreams = 1_000
const settleMs = 3_000
/** V8 gives back what a start took when a process has rested. */
const restMs = 25_000
const most = { idleMB: 70, streamsMB: 160 }

/** The memory of a server that has rested since its start, and with 1,000 streams of one event a second. */
export async function* report(): AsyncGenerator<string> {
  const rows: Row[] = []
  for (const contestant of await contestants()) rows.push(await rowOf(contestant))
  yield table(`memory idle and with ${slowStreams} slow streams (resident)`, rows)
}

async function rowOf(contestant: Contestant): Promise<Row> {
  const running = await Running.start(contestant, await upstreamUrl())
  const open: Connection[] = []
  try {
    await setTimeout(restMs)
    const idle = megabytes(await running.used())
    for (let index = 0; index < slowStreams; index++) {
      const connection = new Connection(running.port, 'slow')
      open.push(connection)
      await connection.first()
    }
    await setTimeout(settleMs)
    const streaming = megabytes(await running.used())
    const row = { name: contestant.name, figures: [`${idle.toFixed(0)} MB`, `${streaming.toFixed(0)} MB`] }
    if (contestant !== library && contestant !== serve) return row
    const isMet = idle <= most.idleMB && streaming <= most.streamsMB
    return { ...row, verdict: verdict(`≤ ${most.idleMB} MB, ${most.streamsMB} MB`, isMet) }
  } finally {
    for (const connection of open) connection.close()
    await running.stop()
  }
}

function megabytes({ rssBytes }: { rssBytes: number }): number {
  return rssBytes / 1_000_000
}
