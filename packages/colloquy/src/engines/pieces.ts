// Short enough for other requests, long enough for the pauses not to matter.
const pieceMs = 10
const stepsPerLook = 8

/** The characters of a long text that a step reads: about a millisecond. */
export const charactersPerStep = 65_536

/** Runs a generator to its end. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * Runs a generator to its end in pieces of about 10 ms, and lets other work run in between.
 *
 * @example
 * ```ts
 * import { inPieces } from 'colloquy/engines'
 *
 * function* sum(numbers: readonly number[]): Generator<void, number> {
 *   let total = 0
 *   for (const [i, number] of numbers.entries()) {
 *     total += number
 *     if (i % 1_000 === 0) yield
 *   }
 *   return total
 * }
 * console.log(await inPieces(sum([1, 2, 3]))) // 6
 * ```
 */
export async function inPieces<T>(steps: Generator<void, T>): Promise<T> {
  let startedAt = performance.now()
  for (let count = 1; ; count++) {
    const step = steps.next()
    if (step.done) return step.value
    // Reading the clock takes longer than a small step.
    if (count % stepsPerLook !== 0 || performance.now() - startedAt < pieceMs) continue
    await new Promise((resolve) => setTimeout(resolve))
    startedAt = performance.now()
  }
}
