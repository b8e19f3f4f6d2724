/** What the program tells the shell. */
export const ExitCode = {
  ok: 0,
  /** The API or the program itself failed. */
  failed: 1,
  usage: 2,
  /** No key, or one that is not accepted. */
  key: 3,
  /** Rate-limited or overloaded, also after the retries. */
  busy: 4,
  network: 5,
  /** The API rejected the request. */
  rejected: 6,
  /** `--max-cost` was reached. */
  budget: 7,
  /** Cut off or refused, with `--strict`. */
  incomplete: 8,
  interrupted: 130,
  terminated: 143,
} as const

/** Ends the program with a sentence and a code of its own. */
export class ExitError extends Error {
  override name = 'ExitError'
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** What was asked for cannot be done as it was asked. */
export class UsageError extends ExitError {
  override name = 'UsageError'

  constructor(message: string) {
    super(ExitCode.usage, message)
  }
}
