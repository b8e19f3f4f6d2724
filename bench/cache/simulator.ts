import type { CacheTtl } from '../../packages/colloquy/src/conversation/cache/cache-policy.ts'
import { pingAfterMs } from '../../packages/colloquy/src/conversation/cache/keep-alive.ts'
import type { Population, Talk } from './population.ts'

/** The cache writes that a policy requests: for the shared part, and for everything after it. */
export interface Marks {
  shared: CacheTtl | 'none'
  tail: CacheTtl | 'none'
  /** How often everything is read again while the user pauses, each time shortly before the entry would end. Default 0. */
  pings?: number | undefined
}

/** A request as a policy sees it. */
export interface SeenRequest {
  gapMs: number
  warm: CacheTtl | 'nothing'
  /** A step of a turn, with the results of tools: the user did not pause before it. */
  isStep: boolean
  /** The share of the prompt's tokens that is not the shared part. */
  tailShare: number
}

/** Chooses the writes of one conversation's requests in order, without knowledge of the future. */
export type TalkPolicy = (request: SeenRequest) => Marks

/** Starts a policy for a population, which then starts one for each conversation: it may learn from the earlier ones. */
export type Policy = (readFactor: number, kind: Population['kind']) => () => TalkPolicy

/** Tokens times the price of uncached input. */
export type Price = number

const lifetimeMs = { '5m': 5 * 60_000, '1h': 60 * 60_000 }
const writeFactor = { none: 1, '5m': 1.25, '1h': 2 }

/**
 * The cost of a population's prompts by the documented rules: an entry is written only at a breakpoint; a read costs
 * `readFactor` and renews the entry; the lifetime of an entry starts with the request; after a live entry only the rest
 * is written.
 */
export function simulate(population: Population, policy: Policy, readFactor: number): Price {
  const { sharedTokens, talks, kind } = population
  const startTalk = policy(readFactor, kind)
  let sharedUntil = -1
  let cost = 0
  for (const { talk, at, turn, state } of inOrder(talks, () => newState(startTalk()))) {
    const { gapMs, newTokens, isStep = false } = talk.turns[turn]!
    state.total += newTokens
    const hourTokens = at <= state.hourUntil ? state.hourTokens : 0
    const warmTokens = at <= state.fiveUntil ? state.warmTokens : hourTokens
    const warm = warmTokens === 0 ? 'nothing' : warmTokens > hourTokens ? '5m' : '1h'
    const marks = state.policy({ gapMs, warm, isStep, tailShare: state.total / (sharedTokens + state.total) })
    // The entry of the tail includes the shared part, so a live tail reads that too.
    const sharedWarm = at <= sharedUntil || warmTokens > 0
    cost += sharedTokens * (sharedWarm ? readFactor : writeFactor[marks.shared === 'none' ? marks.tail : marks.shared])
    if (marks.shared !== 'none') sharedUntil = at + lifetimeMs[marks.shared]
    cost += warmTokens * readFactor + (state.total - warmTokens) * writeFactor[marks.tail]
    remember(state, marks.tail, { at, hourTokens, warmTokens })
    // After the last turn the user does not return, and every ping is wasted.
    const pauseMs = talk.turns[turn + 1]?.gapMs ?? Infinity
    const pings = Math.min(marks.pings ?? 0, Math.floor(pauseMs / pingAfterMs))
    if (pings === 0) continue
    cost += pings * readFactor * (sharedTokens + state.total)
    const lastPing = at + pings * pingAfterMs
    state.fiveUntil = Math.max(state.fiveUntil, lastPing + lifetimeMs['5m'])
    if (state.hourTokens > 0) state.hourUntil = lastPing + lifetimeMs['1h']
    sharedUntil = Math.max(sharedUntil, lastPing + lifetimeMs['1h'])
  }
  return cost
}

interface State {
  policy: TalkPolicy
  /** Tokens after the shared part. */
  total: number
  /** Tokens of the beginning that was written for an hour. */
  hourTokens: number
  hourUntil: number
  /** All cached tokens, including that beginning. */
  warmTokens: number
  fiveUntil: number
}

function newState(policy: TalkPolicy): State {
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

/** The requests of all conversations in order of time. The order matters because they share an entry. */
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
 * The least that a population can cost if all pauses are known in advance, with the shared part read from the cache
 * each time except the first. This is a lower bound for every policy.
 */
export function optimum({ sharedTokens, talks }: Population, readFactor: number): Price {
  const requests = talks.reduce((sum, talk) => sum + talk.turns.length, 0)
  const first = talks.length > 0 ? sharedTokens * (writeFactor['5m'] - readFactor) : 0
  return (
    requests * sharedTokens * readFactor + first + talks.reduce((sum, talk) => sum + optimumOf(talk, readFactor), 0)
  )
}

/**
 * Computes the least cost of each state, turn by turn. A state is the number of turns in the beginning that was written
 * for an hour (`hour`), and whether everything after it is cached too (`whole`) or nothing (`bare`). A turn may write
 * for an hour up to the end of any turn and for 5 minutes after it, or write nothing.
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
