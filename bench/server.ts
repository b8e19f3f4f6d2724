import { report as memory } from './server/memory.ts'
import { report as relay } from './server/relay.ts'

/** Compares the server in front of an upstream with a bare proxy and its peers. Each part also runs alone, as `server/relay`. */
export async function* report(): AsyncGenerator<string> {
  for (const part of [relay, memory]) yield* part()
}
