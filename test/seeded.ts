/** The seed of this run's random instants. Set `COLLOQUY_SEED` to that of a run that failed, to repeat it. */
export const seed: number = Number(process.env.COLLOQUY_SEED ?? Date.now() % 1_000_000)

/** A sequence of numbers from 0 to 1 that only depends on the seed (mulberry32). */
export function seeded(): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
