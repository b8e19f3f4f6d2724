/** Why no value can be made for a schema. */
export class SampleError extends Error {
  override name = 'SampleError'
  /** Whether the schema, or this part of it, has no value. If not, the schema is beyond the limits or not supported. */
  readonly isUnsatisfiable: boolean

  constructor(message: string, { isUnsatisfiable = false }: { isUnsatisfiable?: boolean } = {}) {
    super(message)
    this.isUnsatisfiable = isUnsatisfiable
  }
}

/** The error for a schema that asks for more than the limits. The text is the API's. */
export function tooComplex(): SampleError {
  return new SampleError('Schema is too complex for compilation.')
}

/** The error for a schema that no value satisfies, or none that was found. */
export function unsatisfiable(): SampleError {
  return new SampleError('No value was found that satisfies the schema.', { isUnsatisfiable: true })
}

const maxMs = 1_000
/** The most that a step counts for: in one that took longer, the machine probably stood still. */
const maxStepMs = 100

/** The work that the value of one schema may take. */
export class Budget {
  /** Subschemas to make a value for or to check a value against. Counted down, also by `checkJson()`. */
  steps = 200_000
  #characters = 200_000
  #ms = 0
  #lastStepAt = performance.now()

  step(): void {
    const now = performance.now()
    this.#ms += Math.min(now - this.#lastStepAt, maxStepMs)
    this.#lastStepAt = now
    if (this.steps-- <= 0 || this.#ms > maxMs) throw tooComplex()
  }

  /** Counts the characters that a value has as JSON. */
  spend<Value>(value: Value): Value {
    const characters = typeof value === 'string' ? value.length : JSON.stringify(value).length
    this.canSpend(characters)
    this.#characters -= characters
    return value
  }

  canSpend(characters: number): void {
    if (!(characters <= this.#characters)) throw tooComplex()
  }
}
