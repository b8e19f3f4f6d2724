/** The program's exit codes. */
export const ExitCode = {
  ok: 0,
  /** The API or the program itself failed. */
  failed: 1,
  usage: 2,
  /** The API key is missing or was not accepted. */
  key: 3,
  /** Rate-limited or overloaded, after all retries. */
  busy: 4,
  network: 5,
  /** The API rejected the request, or it does not fit into the window. */
  rejected: 6,
  /** `--max-cost` was reached. */
  budget: 7,
  /** The reply was cut off or refused, with `--strict`. */
  incomplete: 8,
  /** The terminal was closed (SIGHUP). */
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const

/** Ends the program with this message and exit code. */
export class ExitError extends Error {
  override name = 'ExitError'
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The command line or a slash command is wrong. */
export class UsageError extends ExitError {
  override name = 'UsageError'

  constructor(message: string) {
    super(ExitCode.usage, message)
  }
}
