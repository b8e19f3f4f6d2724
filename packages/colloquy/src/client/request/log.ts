/** What the client writes its log lines to: `console` is one. */
export interface Logger {
  error(message: string, ...rest: unknown[]): void
  warn(message: string, ...rest: unknown[]): void
  info(message: string, ...rest: unknown[]): void
  debug(message: string, ...rest: unknown[]): void
}

export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug'

const levels: readonly LogLevel[] = ['off', 'error', 'warn', 'info', 'debug']

export function isLogLevel(value: unknown): value is LogLevel {
  return levels.includes(value as LogLevel)
}

/** The logger's method for a level, or undefined where the level is not to be logged: `log('debug')?.(…)` then costs nothing. */
export type Log = (level: Exclude<LogLevel, 'off'>) => ((message: string, ...rest: unknown[]) => void) | undefined

export function logAt(logger: Logger, upTo: LogLevel): Log {
  const limit = levels.indexOf(upTo)
  return (level) => (levels.indexOf(level) <= limit ? logger[level].bind(logger) : undefined)
}

/** The URL as a log may show it. */
export function redactedUrl(url: string): string {
  return url.replace(/(key|secret|token)=[^&]*/gi, '$1=***')
}
