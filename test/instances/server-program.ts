// One of several servers on one database. Parameters: the URLs of PostgreSQL and of Redis. Writes its address to standard
// output, and the problems that it notices to standard error.
import { createServer } from '@colloquy/server'
import { openAccess } from '@colloquy/server/access'
import { listen } from '@colloquy/server/node'
import { openServerStore } from '@colloquy/server/store'
import { offline } from 'colloquy/engines'

const [database, redis] = process.argv.slice(2) as [string, string]
const store = await openServerStore(database)
const access = await openAccess({
  store,
  redis,
  leaseMs: 1_500,
  onProblem: (sentence) => process.stderr.write(`${sentence}\n`),
})
const engine = offline({ wordsPerSecond: 150 })
const batches = { leaseMs: 1_500, pollMs: 100 }
const server = createServer({ engine, access, store, batches, threads: { leaseMs: 1_500 } })
const { url, close } = await listen(server, { port: 0 })
process.stdout.write(`${url}\n`)
process.once('SIGTERM', () => void stop())

async function stop(): Promise<void> {
  await close({ graceMs: 2_000 })
  await access.close()
  await store.close()
}
