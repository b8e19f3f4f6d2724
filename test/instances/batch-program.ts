// One of several workers on batches. Parameter: the database. Writes the number of each request that it begins to standard
// output.
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from '@colloquy/server'
import { openServerStore } from '@colloquy/server/store'
import { type Engine, type EngineContext, offline } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'

const store = await openServerStore(process.argv[2]!)
const reply = offline()
async function* engine(params: MessageCreateParams, context?: EngineContext): ReturnType<Engine> {
  process.stdout.write(`${params.messages[0]!.content as string}\n`)
  await sleep(15)
  yield* reply(params, context)
}
createServer({ engine, store, batches: { concurrency: 4, leaseMs: 400, pollMs: 50 } })
// The work on batches alone does not keep a process running.
setInterval(() => {}, 1_000_000)
