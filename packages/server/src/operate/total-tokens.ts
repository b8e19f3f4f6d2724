import { callsIn, type TokenCounts, tokenCounts, tokenKinds, type Usage } from 'colloquy/protocol'

/** The tokens of all model calls of a reply, those of compactions, advice and replaced attempts included. */
export function totalTokens(usage: Usage): TokenCounts {
  const total: TokenCounts = { input: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 0 }
  for (const counts of callsIn(usage).map(tokenCounts)) for (const kind of tokenKinds) total[kind] += counts[kind]
  return total
}
