/** A conversation as the cache sees it: how much each turn adds to the prompt, and the pause before it. */
export interface Talk {
  /** Milliseconds since the population's first request. */
  startMs: number
  turns: readonly Turn[]
}

export interface Turn {
  /** Milliseconds since the previous request; 0 for the first. */
  gapMs: number
  /** Tokens that the prompt gained since the previous turn: the last reply and the new message. */
  newTokens: number
  /** The request of a step after the first of its turn. Default false. */
  isStep?: boolean
}

export interface Population {
  /** Whether the requests have tools. */
  kind: 'chat' | 'tools'
  /** Tokens of the system prompt and tools, the same in every conversation. */
  sharedTokens: number
  talks: readonly Talk[]
}

const minute = 60_000

/** Conversations in which all pauses are equal. */
export function regular({ turns, gapMs }: { turns: number; gapMs: number }): Population {
  const talk = {
    startMs: 0,
    turns: Array.from({ length: turns }, (_, index) => ({ gapMs: index && gapMs, newTokens: 650 })),
  }
  return { kind: 'chat', sharedTokens: 2_000, talks: [talk] }
}

/** The shares of the three kinds of users: those who answer at once, pause now and then, or come and go. */
type Shares = readonly [atOnce: number, nowAndThen: number, comeAndGo: number]

const usual: Shares = [1 / 2, 1 / 3, 1 / 6]

/**
 * Four hundred conversations, one begun every 20 minutes, with a median of 8 turns, a mean of 15 and a heavy tail. By default
 * half of the users answer at once, a third pause now and then, a sixth come and go.
 */
export function mixed(seed: number, shares: Shares = usual): Population {
  const random = randomFrom(seed)
  const talks = Array.from({ length: 400 }, (_, index) => {
    const pause = pauseOf(random(), shares)
    const turns = Array.from({ length: turnCount(random, 400) }, (__, turn) => ({
      gapMs: turn === 0 ? 0 : 12_000 + pause(random),
      newTokens: Math.round(300 + 700 * random()),
    }))
    return { startMs: index * 20 * minute, turns }
  })
  return { kind: 'chat', sharedTokens: 4_000, talks }
}

/**
 * The same users with an agent: each turn is five to nine requests, seconds apart, with a tool's result of 1,500 tokens. The
 * system prompt and the tools are long. Users of agents pause less: seven in ten answer at once.
 */
export function withTools(seed: number, shares: Shares = [0.7, 0.2, 0.1]): Population {
  const random = randomFrom(seed)
  const talks = Array.from({ length: 200 }, (_, index) => {
    const pause = pauseOf(random(), shares)
    const turns = Array.from({ length: turnCount(random, 50) }, (__, turn): Turn[] => {
      const first = { gapMs: turn === 0 ? 0 : 12_000 + pause(random), newTokens: Math.round(300 + 700 * random()) }
      const steps = Array.from({ length: 4 + Math.floor(5 * random()) }, () => {
        return { gapMs: 3_000 + 12_000 * random(), newTokens: 1_600, isStep: true }
      })
      return [first, ...steps]
    })
    return { startMs: index * 20 * minute, turns: turns.flat() }
  })
  return { kind: 'tools', sharedTokens: 12_000, talks }
}

function pauseOf(kind: number, [first, second]: Shares): (random: () => number) => number {
  if (kind < first) return atOnce
  return kind < first + second ? nowAndThen : comeAndGo
}

function turnCount(random: () => number, most: number): number {
  return Math.max(1, Math.min(most, Math.round(8 * Math.exp(1.12 * normal(random)))))
}

function atOnce(random: () => number): number {
  return random() < 0.98 ? between(random, 0.2, 3) : between(random, 5, 60)
}

function nowAndThen(random: () => number): number {
  const draw = random()
  if (draw < 0.9) return between(random, 0.3, 4.5)
  return draw < 0.98 ? between(random, 5, 55) : between(random, 61, 600)
}

function comeAndGo(random: () => number): number {
  // Log-uniform between one minute and three hours.
  return minute * Math.exp(random() * Math.log(180))
}

function between(random: () => number, fromMinutes: number, toMinutes: number): number {
  return minute * (fromMinutes + random() * (toMinutes - fromMinutes))
}

/** A random number generator that returns the same numbers for the same seed: Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixedBits = Math.imul(state ^ (state >>> 15), 1 | state)
    mixedBits = (mixedBits + Math.imul(mixedBits ^ (mixedBits >>> 7), 61 | mixedBits)) ^ mixedBits
    return ((mixedBits ^ (mixedBits >>> 14)) >>> 0) / 4_294_967_296
  }
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
