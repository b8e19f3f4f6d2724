import type { AccessEntry } from '@colloquy/server'
import { formatUsd, fromUsd } from 'colloquy/protocol'
import { describeError } from '../../errors/describe-error.ts'
import type { Flags } from '../../flags.ts'
import { latencyText, tokenText } from '../../format.ts'
import { writeLogJson, writeLogLine } from '../../terminal/output.ts'
import { safeLine } from '../../terminal/safe-text.ts'
import { painterFor } from '../../terminal/color-support.ts'

/** How requests are logged. */
export interface AccessLogOptions {
  format: 'text' | 'json' | 'off'
  color?: string | undefined
  isPlain?: boolean
  /** Whether the reply cost nothing. */
  isLocal: (entry: AccessEntry) => boolean
}

/** Returns a function that writes a line for each request. */
export function accessLogger({
  format,
  color,
  isPlain = false,
  isLocal,
}: AccessLogOptions): (entry: AccessEntry) => void {
  if (format === 'off') return () => {}
  if (format === 'json') return (entry) => writeLogJson(recordOf(entry))
  const paint = painterFor({ color, isPlain })
  return (entry) => {
    const line = safeLine(accessLine(entry, { at: new Date(), isLocal: isLocal(entry) }))
    writeLogLine(paint(line, entry.status >= 400 ? { color: 'red' } : {}))
  }
}

/**
 * A log of requests to the API and of failures only. The requests of a page, and those of balancers that ask each second whether
 * the server is there, would hide the others.
 */
export function withoutProbes(log: (entry: AccessEntry) => void): (entry: AccessEntry) => void {
  return (entry) => {
    const isOther = !/^\/(?:v1|admin)\//.test(entry.path) && entry.status < 400
    if (!isOther) log(entry)
  }
}

/** The options that the flags ask for. */
export function logOptions(flags: Flags): Omit<AccessLogOptions, 'isLocal'> {
  const format = flags.has('quiet') ? 'off' : flags.has('json') ? 'json' : 'text'
  return { format, color: flags.text('color'), isPlain: flags.has('plain') }
}

/** Formats an entry: `12:01:03  POST /v1/messages  200  stream  MODEL  1.2k→900  10.4 s  ttft 600 ms  $0.0329  key=ada  req_01…` */
function accessLine(entry: AccessEntry, { at, isLocal }: { at: Date; isLocal: boolean }): string {
  const { method, path, status, stream, model, inputTokens, outputTokens, ms, ttftMs, aborted, error, requestId } =
    entry
  const { upstreamRequestId, key, stopReason } = entry
  const usage = outputTokens === null ? '' : `${tokenText(inputTokens ?? 0)}→${tokenText(outputTokens)}`
  // Only the end of a reply tells all of its output.
  const about = stopReason === null ? '≈' : ''
  return [
    at.toTimeString().slice(0, 8),
    `${method} ${path}`,
    aborted ? 'stopped by client' : String(status),
    stream ? 'stream' : '',
    model ?? '',
    triedEngines(entry),
    usage === '' ? '' : about + usage,
    latencyText(ms),
    ttftMs === null ? '' : `ttft ${latencyText(ttftMs)}`,
    usage === '' ? '' : isLocal ? 'local' : entry.usd === null ? 'no price' : about + formatUsd(fromUsd(entry.usd)),
    key === null ? '' : `key=${key.name}`,
    error === undefined || aborted ? '' : describeError(error).sentence,
    requestId,
    upstreamRequestId === null ? '' : `upstream ${upstreamRequestId}`,
  ]
    .filter((part) => part !== '')
    .join('  ')
}

/** `claude ✗ → local`: the engines that were tried, if there was a choice. */
function triedEngines({ attempts }: AccessEntry): string {
  return attempts.map(({ engine, error }) => (error === undefined ? engine : `${engine} ✗`)).join(' → ')
}

function recordOf({ error, attempts, ...entry }: AccessEntry): object {
  return {
    at: new Date().toISOString(),
    ...entry,
    attempts: attempts.map(({ error: failure, ...attempt }) => ({ ...attempt, error: failureOf(failure) })),
    error: failureOf(error),
  }
}

function failureOf(error: unknown): { type: string; message: string } | null {
  if (error === undefined) return null
  const { type, sentence } = describeError(error)
  return { type, message: sentence }
}
