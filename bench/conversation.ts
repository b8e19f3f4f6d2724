import { report as arriving } from './conversation/arriving.ts'
import { report as crowd } from './conversation/crowd.ts'
import { report as load } from './conversation/load.ts'
import { report as postgres } from './conversation/postgres.ts'
import { report as roundTrips } from './conversation/round-trips.ts'
import { report as search } from './conversation/search.ts'
import { report as turns } from './conversation/turns.ts'

/**
 * The cost of storing conversations, compared with other ways. Each part also runs alone, as `conversation/turns` and
 * so on.
 */
export async function* report(): AsyncGenerator<string> {
  for (const part of [turns, crowd, arriving, load, search, roundTrips, postgres]) yield* part()
}
