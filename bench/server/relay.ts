import { setTimeout } from 'node:timers/promises'
import { median } from '../run.ts'
import { type Row, table, verdict } from '../client/table.ts'
import { Running, contestants, library, serve, upstreamUrl, withAccess } from './contestants.ts'
import { Connection, eventsPerStream, load } from './traffic.ts'

const rounds = 3
const inFlight = 64
/** V8 compiles functions for this long: before, a request takes up to twice the time. */
const warmUpRequests = 12_000
const warmUpStreams = 8 * inFlight
/** The ledger writes requests up to 100 ms after they have ended. */
const ledgerMs = 250
const requests = 2_500
const streams = 64
const firstEvents = 300

/** The figures of one contestant: one of each round, and of each stream. */
interface Figures {
  running: Running
  requestUs: number[]
  eventUs: number[]
  firstMs: number[]
}

/** The CPU time of a request and of a relayed event, and the time to the first event of a stream. */
export async function* report(): AsyncGenerator<string> {
  const upstream = await upstreamUrl()
  const all: Figures[] = []
  try {
    for (const each of await contestants())
      all.push({ running: await Running.start(each, upstream), requestUs: [], eventUs: [], firstMs: [] })
    for (const { running } of all) await warmUp(running)
    for (let round = 0; round < rounds; round++)
      for (let turn = 0; turn < all.length; turn++) await measure(all[(turn + round) % all.length]!)
    for (let stream = 0; stream < firstEvents; stream++)
      for (const { running, firstMs } of all) firstMs.push(await firstEvent(running))
  } finally {
    for (const { running } of all) await running.stop()
  }
  yield tableOf(all)
}

async function warmUp({ port }: Running): Promise<void> {
  await load(port, { times: warmUpRequests, connections: inFlight })
  await load(port, { times: warmUpStreams, connections: inFlight, pace: 'full' })
}

async function measure({ running, requestUs, eventUs }: Figures): Promise<void> {
  const { port } = running
  const asked = await cpuUs(running, async () => {
    await load(port, { times: requests, connections: inFlight })
    await setTimeout(ledgerMs)
  })
  const streamed = await cpuUs(running, () => load(port, { times: streams, connections: inFlight, pace: 'even' }))
  requestUs.push(asked / requests)
  // A stream costs a request too.
  eventUs.push((streamed - (asked / requests) * streams) / (streams * eventsPerStream))
}

async function cpuUs(running: Running, work: () => Promise<void>): Promise<number> {
  const before = await running.used()
  await work()
  return (await running.used()).cpuUs - before.cpuUs
}

/** The time to the first event of one stream. */
async function firstEvent({ port }: Running): Promise<number> {
  const connection = new Connection(port, 'slow')
  const startedAt = performance.now()
  await connection.first()
  const time = performance.now() - startedAt
  connection.close()
  return time
}

/** The most that keys, limits and the ledger may add, as a multiple of the server without them. */
const mostForAccess = 1.25
/** Multiples of the bare proxy, which are reliable on a busy machine. On a quiet one they are 110 µs, 5 µs and 0.8 ms. */
const most = { timesRequest: 2.3, timesEvent: 1.5, timesFirst: 1.6 }

function tableOf(all: readonly Figures[]): string {
  const bare = all[0]!
  const rows = all.map(({ running: { contestant }, requestUs, eventUs, firstMs }): Row => {
    const [request, event, first] = [median(requestUs), median(eventUs), median(firstMs)]
    const [timesRequest, timesEvent] = [request / median(bare.requestUs), event / median(bare.eventUs)]
    const timesFirst = first / median(bare.firstMs)
    const figures = [
      `${request.toFixed(0)} µs a request`,
      `${timesRequest.toFixed(2)} ×`,
      `${event.toFixed(2)} µs an event`,
      `${timesEvent.toFixed(2)} ×`,
      `${first.toFixed(2)} ms to the first event`,
      `${timesFirst.toFixed(2)} ×`,
    ]
    const row = { name: contestant.name, figures }
    if (contestant === withAccess) return { ...row, verdict: accessVerdict(request, event, all) }
    if (contestant !== library && contestant !== serve) return row
    const isMet = timesRequest <= most.timesRequest && timesEvent <= most.timesEvent && timesFirst <= most.timesFirst
    return { ...row, verdict: verdict(`≤ ${most.timesRequest} ×, ${most.timesEvent} ×, ${most.timesFirst} ×`, isMet) }
  })
  return table(`in front of an upstream, ${inFlight} in flight (CPU of the server)`, rows)
}

/** Compares the server with access to the server without. */
function accessVerdict(request: number, event: number, all: readonly Figures[]): string {
  const without = all.find(({ running }) => running.contestant === library)!
  const [times, timesEvent] = [request / median(without.requestUs), event / median(without.eventUs)]
  const isMet = times <= mostForAccess && timesEvent <= mostForAccess
  const found = `${times.toFixed(2)} × and ${timesEvent.toFixed(2)} × ${library.name}`
  return verdict(`${found}, ≤ ${mostForAccess} ×`, isMet)
}
