// A process that opens many streams, keeps them open, and reports the memory of each.
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Connect, HistoryMessage } from './contestant.ts'

/** Bytes per stream. */
export interface Held {
  heapBytes: number
  externalBytes: number
  rssBytes: number
}

const streams = 400
const warmUps = 20

const [contestant, entry, url] = process.argv.slice(2)
const { connect } = (await import(`./contestants/${contestant}.ts`)) as { connect: Connect }
const library = (entry ? await import(pathToFileURL(entry).href) : undefined) as never
const one = connect(library, url!)
const held: object[] = []

for (let index = 0; index < warmUps; index++) held.push(await one.open(messages(index)))
const before = await settled()
for (let index = 0; index < streams; index++) held.push(await one.open(messages(index)))
const after = await settled()

const taken: Held = {
  heapBytes: (after.heapUsed - before.heapUsed) / streams,
  externalBytes: (after.external - before.external) / streams,
  rssBytes: (after.rss - before.rss) / streams,
}
process.stdout.write(JSON.stringify(taken), () => process.exit())

async function settled(): Promise<NodeJS.MemoryUsage> {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc!()
    await setTimeout(100)
  }
  return process.memoryUsage()
}

/** Returns a new request for each stream, so that only the client keeps a reference to it. */
function messages(index: number): HistoryMessage[] {
  return [{ role: 'user', content: Buffer.alloc(100_000, `${index} `).toString() }]
}
