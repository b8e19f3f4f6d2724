import type { CacheTtl } from '../../packages/colloquy/src/conversation/cache/cache-policy.ts'
import type { Population, Talk } from './population.ts'

/** What a policy wants written: the shared part, and all behind it. */
export interface Marks {
  shared: CacheTtl | 'none'
  tail: CacheTtl | 'none'
}

/** Told of each request of one conversation in turn; knows nothing of the future. */
export type Policy = (readFactor: number) => (request: { gapMs: number; warm: CacheTtl | 'nothing' }) => Marks

/** Tokens times the price of uncached input. */
export type Price = number

const lifetimeMs = { '5m': 5 * 60_000, '1h': 60 * 60_000 }
const writeFactor = { none: 1, '5m': 1.25, '1h': 2 }

/**
 * What a population's prompts cost, by the documented rules: an entry is written at a mark and only there; a read costs
 * `readFactor` and renews the entry; an entry's life counts from the request; behind a live entry only the rest is written.
 */
export function simulate({ sharedTokens, talks }: Population, policy: Policy, readFactor: number): Price {
  let sharedUntil = -1
  let cost = 0
  for (const { talk, at, turn, state } of inOrder(talks, () => newState(policy(readFactor)))) {
    const { gapMs, newTokens } = talk.turns[turn]!
    state.total += newTokens
    const hourTokens = at <= state.hourUntil ? state.hourTokens : 0
    const warmTokens = at <= state.fiveUntil ? state.warmTokens : hourTokens
    const warm = warmTokens === 0 ? 'nothing' : warmTokens > hourTokens ? '5m' : '1h'
    const marks = state.policy({ gapMs, warm })
    // The tail's own entry reaches back over the shared part: a live tail reads it too.
    const sharedWarm = at <= sharedUntil || warmTokens > 0
    cost += sharedTokens * (sharedWarm ? readFactor : writeFactor[marks.shared === 'none' ? marks.tail : marks.shared])
    if (marks.shared !== 'none') sharedUntil = at + lifetimeMs[marks.shared]
    cost += warmTokens * readFactor + (state.total - warmTokens) * writeFactor[marks.tail]
    remember(state, marks.tail, { at, hourTokens, warmTokens })
  }
  return cost
}

interface State {
  policy: ReturnType<Policy>
  /** Behind the shared part. */
  total: number
  /** The front that was written for an hour. */
  hourTokens: number
  hourUntil: number
  /** All that is cached, the front included. */
  warmTokens: number
  fiveUntil: number
}

function newState(policy: ReturnType<Policy>): State {
  return { policy, total: 0, hourTokens: 0, hourUntil: -1, warmTokens: 0, fiveUntil: -1 }
}

function remember(
  state: State,
  tail: Marks['tail'],
  { at, hourTokens, warmTokens }: { at: number; hourTokens: number; warmTokens: number },
): void {
  state.hourTokens = tail === '1h' && warmTokens === hourTokens ? state.total : hourTokens
  if (state.hourTokens > 0) state.hourUntil = at + lifetimeMs['1h']
  state.warmTokens = tail === 'none' ? warmTokens : state.total
  if (state.warmTokens > state.hourTokens) state.fiveUntil = at + lifetimeMs['5m']
  else state.fiveUntil = state.hourUntil
}

/** The requests of all conversations by the clock: they share an entry, so their order matters. */
function inOrder<S>(talks: readonly Talk[], start: () => S): { talk: Talk; at: number; turn: number; state: S }[] {
  return talks
    .flatMap((talk) => {
      const state = start()
      let at = talk.startMs
      return talk.turns.map(({ gapMs }, turn) => ({ talk, at: (at += gapMs), turn, state }))
    })
    .toSorted((a, b) => a.at - b.at)
}

/**
 * The least that a population can cost to one who knows all pauses, its shared part read from the cache each time but the
 * first. A lower bound: nobody can do better by the rules.
 */
export function optimum({ sharedTokens, talks }: Population, readFactor: number): Price {
  const requests = talks.reduce((sum, talk) => sum + talk.turns.length, 0)
  const first = talks.length > 0 ? sharedTokens * (writeFactor['5m'] - readFactor) : 0
  return (
    requests * sharedTokens * readFactor + first + talks.reduce((sum, talk) => sum + optimumOf(talk, readFactor), 0)
  )
}

/**
 * Goes through the turns with the least cost of each state. A state is how many turns' tokens stand in the front that was
 * written for an hour (`hour`), and whether all behind it is cached too (`whole`) or nothing (`bare`). A turn may write on
 * for an hour up to any turn's end and for 5 minutes behind it, or write nothing.
 */
function optimumOf({ turns }: Talk, readFactor: number): Price {
  const ends = Float64Array.of(0, ...turns.map(({ newTokens }) => newTokens)).map(runningSum())
  let bare = new Float64Array([0])
  let whole = new Float64Array([Infinity])
  for (const [turn, { gapMs }] of turns.entries()) {
    const total = ends[turn + 1]!
    const nextBare = new Float64Array(turn + 2).fill(Infinity)
    const nextWhole = new Float64Array(turn + 2).fill(Infinity)
    for (let before = 0; before <= turn; before++) {
      const wholeLives = gapMs <= lifetimeMs['5m']
      const hour = gapMs <= lifetimeMs['1h'] ? before : 0
      if (wholeLives && before < turn) {
        const cost = whole[before]! + ends[turn]! * readFactor
        const rest = total - ends[turn]!
        nextBare[before] = Math.min(nextBare[before]!, cost + rest)
        nextWhole[before] = Math.min(nextWhole[before]!, cost + rest * writeFactor['5m'])
      }
      const known = Math.min(bare[before]!, wholeLives && before < turn ? Infinity : whole[before]!)
      const cost = known + ends[hour]! * readFactor
      nextBare[hour] = Math.min(nextBare[hour]!, cost + total - ends[hour]!)
      for (let to = hour; to <= turn + 1; to++) {
        const written = (ends[to]! - ends[hour]!) * writeFactor['1h'] + (total - ends[to]!) * writeFactor['5m']
        nextWhole[to] = Math.min(nextWhole[to]!, cost + written)
      }
    }
    bare = nextBare
    whole = nextWhole
  }
  return Math.min(...bare, ...whole)
}

function runningSum(): (value: number) => number {
  let sum = 0
  return (value) => (sum += value)
}
