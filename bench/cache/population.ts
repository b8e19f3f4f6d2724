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
}

export interface Population {
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
  return { sharedTokens: 2_000, talks: [talk] }
}

/**
 * Four hundred conversations, one begun every 20 minutes, with a median of 8 turns, a mean of 15 and a heavy tail.
 * There are three kinds of users: half answer at once, a third pause now and then, a sixth come and go.
 */
export function mixed(seed: number): Population {
  const random = randomFrom(seed)
  const talks = Array.from({ length: 400 }, (_, index) => {
    const kind = random()
    const pause = kind < 1 / 2 ? atOnce : kind < 5 / 6 ? nowAndThen : comeAndGo
    const count = Math.max(1, Math.min(400, Math.round(8 * Math.exp(1.12 * normal(random)))))
    const turns = Array.from({ length: count }, (__, turn) => ({
      gapMs: turn === 0 ? 0 : 12_000 + pause(random),
      newTokens: Math.round(300 + 700 * random()),
    }))
    return { startMs: index * 20 * minute, turns }
  })
  return { sharedTokens: 4_000, talks }
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
