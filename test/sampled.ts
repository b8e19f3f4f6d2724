/** Whether the tests run in their long form. */
const isLong = process.env['COLLOQUY_LONG'] !== undefined

/** All of the values in the long form; each n-th one otherwise, from another one on in each run. */
export function sampled<T>(values: readonly T[], n: number): T[] {
  const first = Math.floor(Math.random() * n)
  return isLong ? [...values] : values.filter((_, index) => index % n === first)
}

/** The runs of a property: the given number in the long form, and an n-th of it otherwise. */
export function runs(count: number, n: number): number {
  return isLong ? count : Math.ceil(count / n)
}
