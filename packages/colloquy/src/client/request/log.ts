import { environment } from '../transport/runtime.ts'

/** Takes the client's log lines. `console` is one. */
export interface Logger {
  /** Receives errors. */
  error(message: string, ...rest: unknown[]): void
  /** Receives warnings. */
  warn(message: string, ...rest: unknown[]): void
  /** Receives notices. */
  info(message: string, ...rest: unknown[]): void
  /** Receives details of each request. */
  debug(message: string, ...rest: unknown[]): void
}

/** The lowest level of log lines to write. `off` writes none. */
export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug'

const levels: readonly LogLevel[] = ['off', 'error', 'warn', 'info', 'debug']

/** The logger's method for a level; undefined if the level is not logged, so that `log('debug')?.(…)` then costs nothing. */
export type Log = (level: Exclude<LogLevel, 'off'>) => ((message: string, ...rest: unknown[]) => void) | undefined

export function logAt(logger: Logger, upTo: LogLevel): Log {
  const limit = levels.indexOf(upTo)
  return (level) => (levels.indexOf(level) <= limit ? logger[level]?.bind(logger) : undefined)
}

/** The level that the caller chose, or that of `ANTHROPIC_LOG`. An unknown one is a warning, and is `warn`. */
export function logLevelOf(logger: Logger, chosen: LogLevel | undefined): LogLevel {
  const level: unknown = chosen ?? environment('ANTHROPIC_LOG') ?? 'warn'
  if (levels.includes(level as LogLevel)) return level as LogLevel
  const place = chosen ? 'logLevel' : "process.env['ANTHROPIC_LOG']"
  logger.warn(`${place} was set to "${String(level)}", expected one of ${JSON.stringify(levels)}`)
  return 'warn'
}
