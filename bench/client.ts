import { report as idle } from './client/idle.ts'
import { report as requests } from './client/requests.ts'
import { report as startup } from './client/startup.ts'
import { report as streams } from './client/streams.ts'
import { report as toolInput } from './client/tool-input.ts'
import { report as weight } from './client/weight.ts'

/** Compares the client with its peers. Each part also runs alone, as `client/streams` and so on. */
export async function* report(): AsyncGenerator<string> {
  for (const part of [streams, toolInput, requests, startup, weight, idle]) yield* part()
}
