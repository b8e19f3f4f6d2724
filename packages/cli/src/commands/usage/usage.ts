import { existsSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { type Grouping, groupings, type Usage, type UsageFilter, usageObject } from '@colloquy/server/access'
import { decimalUsd } from 'colloquy/protocol'
import { ExitCode, ExitError, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { stopOnSignals } from '../../process.ts'
import { withServerState } from '../../server-store.ts'
import { writeDocument, writeErrorLine, writeFrame, writeJson, writeLine } from '../../terminal/output.ts'
import { csvOf, markdownOf } from './formats.ts'
import { type Period, readPeriod } from './period.ts'
import { priceVersion, type ReportLayout, reportOf, tokensOf, unpricedModels } from './report.ts'
import type { UsageReport } from './usage-report.ts'
import type { UsageSource } from './usage-source.ts'
import { programName } from '../../terminal/program-name.ts'

/** Milliseconds between two reports of `--watch`. */
const watchMs = 2_000

/** Runs `colloquy usage [PERIOD]`. */
export async function showUsage(words: readonly string[], flags: Flags): Promise<number> {
  const options = reportOptions(words, flags)
  const { models } = options
  if (models && options.by.length > 1) throw new UsageError('Cannot use --models with two fields in --by')
  return withSource(flags, async (source) => {
    if (flags.text('remote') === undefined && flags.has('remote'))
      return compareWithClaude(source, options.period, flags)
    if (flags.has('watch')) return watch(source, words, flags)
    writeDocument(await documentOf(source, options))
    return ExitCode.ok
  })
}

/** Runs `colloquy usage request ID`. */
export async function showRequest([id]: readonly string[], flags: Flags): Promise<number> {
  if (id === undefined) throw new UsageError(`Cannot show a request without its id: ${programName} usage request ID`)
  return withSource(flags, async (source) => {
    const found = await source.request(id)
    if (found === undefined) throw new ExitError(ExitCode.failed, `No request ${id} is in the ledger.`)
    if (flags.has('json')) writeJson(found, 2)
    else for (const [name, value] of Object.entries(found)) writeLine(`${name.padEnd(15)} ${shown(value)}`)
    return ExitCode.ok
  })
}

function shown(value: unknown): string {
  if (value === null) return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Runs work with the usage of this user's database, or of the server of `--remote`. */
async function withSource(flags: Flags, work: (source: UsageSource) => Promise<number>): Promise<number> {
  const url = flags.text('remote')
  if (url !== undefined) return work(new (await import('./remote-usage.ts')).RemoteUsage(url))
  const { LocalUsage } = await import('./local-usage.ts')
  checkDatabase(flags)
  return withServerState(flags, ({ database }) => work(new LocalUsage(database)))
}

/** Throws if `--database` names a file that does not exist. Opening it would make an empty database. */
function checkDatabase(flags: Flags): void {
  const path = flags.text('database')
  if (path === undefined || /^\w+:/.test(path) || path === ':memory:' || existsSync(path)) return
  throw new UsageError(`No database ${path}: ${programName} paths shows where this program keeps its own`)
}

async function compareWithClaude(source: UsageSource, period: Period, flags: Flags): Promise<number> {
  const { compareDays, comparisonLines } = await import('./organization.ts')
  const days = await compareDays(source, period)
  if (flags.has('json'))
    writeJson(
      days.map(({ day, here, claude }) => ({ day, usd: decimalUsd(here), claude_usd: decimalUsd(claude) })),
      2,
    )
  else comparisonLines(days).forEach(writeLine)
  return ExitCode.ok
}

/** Shows the report until a signal ends it: on a terminal in one place, elsewhere again when it has changed. */
async function watch(source: UsageSource, words: readonly string[], flags: Flags): Promise<number> {
  const stop = stopOnSignals()
  let last = ''
  try {
    while (!stop.signal.aborted) {
      const text = await documentOf(source, reportOptions(words, flags))
      if (process.stdout.isTTY) writeFrame(text)
      else if (text !== last) writeDocument(text)
      last = text
      await wait(watchMs, undefined, { signal: stop.signal }).catch(() => {})
    }
    return stop.exitCode ?? ExitCode.ok
  } finally {
    stop.dispose()
  }
}

interface ReportOptions {
  flags: Flags
  period: Period
  by: readonly Grouping[]
  /** Whether each row is split by model. */
  models: boolean
  tz: string
  now: number
}

function reportOptions(words: readonly string[], flags: Flags): ReportOptions {
  const [word, other] = words
  if (other !== undefined) throw new UsageError(`Cannot use ${other}: ${word} is the period`)
  const formats = ['json', 'csv', 'md'].filter((name) => flags.has(name))
  if (formats.length > 1)
    throw new UsageError(`Cannot use --${formats[0]} with --${formats[1]}: a report has one format`)
  const now = Date.now()
  const tz = zoneOf(flags)
  const period = readPeriod(word, flags, { now, tz })
  return { flags, period, by: groupingsOf(flags), models: flags.has('models'), tz, now }
}

/** The report in the format that the flags ask for. */
async function documentOf(source: UsageSource, options: ReportOptions): Promise<string> {
  const { flags } = options
  const report = await readReport(source, options)
  if (flags.has('json')) return `${JSON.stringify(jsonOf(report), null, 2)}\n`
  if (flags.has('csv')) return csvOf(report)
  if (report.usage.total.requests === 0) return `${await emptyText(source, options, report)}\n`
  if (flags.has('md')) return markdownOf(report)
  return reportOf(report, layoutOf(flags))
    .map((line) => `${line}\n`)
    .join('')
}

async function readReport(source: UsageSource, options: ReportOptions): Promise<UsageReport> {
  const { flags, period, by, tz, now, models } = options
  const filter = filterOf(flags, period, await source.keyNames())
  const { since, until } = period
  const before = { ...filter, since: since - (until - since), until: since }
  const read = (fields: readonly Grouping[], where = filter): Promise<Usage> =>
    source.read({ ...where, by: fields, tz })
  const usage = await read(by)
  return {
    period,
    tz,
    by,
    now,
    filters: filtersOf(flags),
    usage,
    before: since === 0 ? undefined : await read(flags.has('compare') ? by : [], before),
    models: by[0] === 'model' && by.length === 1 ? usage : await read(['model']),
    splits: models && !by.includes('model') ? await read([...by, 'model']) : undefined,
    repriced: flags.has('reprice') ? await source.reprice(filter) : undefined,
    keyNames: await source.keyNames(),
  }
}

const filterNames = ['key', 'model', 'source'] as const

/** The filters of the flags, by name. */
function filtersOf(flags: Flags): UsageReport['filters'] {
  return Object.fromEntries(
    filterNames.map((name) => [name, flags.text(name)]).filter(([, value]) => value !== undefined),
  ) as UsageReport['filters']
}

function filterOf(flags: Flags, { since, until }: Period, keyNames: ReadonlyMap<string, string>): UsageFilter {
  const { key, ...others } = filtersOf(flags)
  const keyId = [...keyNames].find(([, name]) => name === key)?.[0] ?? key
  return { since, until, ...others, ...(keyId !== undefined && { key: keyId }) }
}

function zoneOf(flags: Flags): string {
  const tz = flags.text('tz') ?? zoneHere()
  try {
    Intl.DateTimeFormat('en', { timeZone: tz })
    return tz
  } catch {
    throw new UsageError(`Cannot use --tz ${tz}: give a time zone such as Europe/Paris`)
  }
}

/** The time zone of this machine. With a `TZ` that does not exist, Node has none and counts in UTC. */
function zoneHere(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions() as { timeZone: string | undefined }
  return timeZone ?? 'UTC'
}

function groupingsOf(flags: Flags): Grouping[] {
  const by = (flags.text('by') ?? 'day').split(',')
  const unknown = by.find((each) => !(groupings as readonly string[]).includes(each))
  if (unknown !== undefined)
    throw new UsageError(`Cannot group by ${unknown}: give one or two of ${groupings.join(', ')}`)
  if (new Set(by).size < by.length) throw new UsageError(`Cannot group by ${by.join(',')}: it names a field twice`)
  if (by.length > 2) throw new UsageError('Cannot group by more than two fields')
  if (by.includes('type') && (by.includes('user') || by.includes('chat')))
    throw new UsageError(
      'Cannot group by type together with user or chat: single requests do not have their cost by type',
    )
  return by as Grouping[]
}

function jsonOf(report: UsageReport): object {
  const { period, by, tz, usage, before, keyNames, repriced, now } = report
  const until = Math.min(period.until, now)
  const found = usageObject(usage, { by, tz, since: period.since, until }, keyNames)
  return {
    ...found,
    price_version: priceVersion(report),
    unpriced: unpricedModels(report).map(({ group, unpriced: requests, ...row }) => {
      return { model: group.model, requests, tokens: tokensOf(row) }
    }),
    previous_usd: before === undefined ? null : decimalUsd(before.total.cost),
    ...(repriced !== undefined && {
      repriced: {
        requests: repriced.requests,
        usd: decimalUsd(repriced.before),
        repriced_usd: decimalUsd(repriced.after),
        newly_priced: repriced.newlyPriced,
      },
    }),
  }
}

/** Explains why the report is empty, and names the nearest day that has requests. */
async function emptyText(
  source: UsageSource,
  { flags, period, tz }: ReportOptions,
  report: UsageReport,
): Promise<string> {
  const filter = filterOf(flags, period, report.keyNames)
  const filters = Object.entries(report.filters).map(([name, value]) => `--${name} ${value}`)
  const nearest = await source.nearest(filter)
  if (nearest !== undefined) {
    const where = filters.length === 0 ? '' : ` with ${filters.join(' ')}`
    const when = nearest < period.since ? 'last' : 'first'
    return `No requests in ${period.title}${where}. The ${when} one was on ${dayIn(nearest, tz)}.`
  }
  const { since, until } = period
  const isEmpty = filters.length === 0 || (await source.nearest({ since, until })) === undefined
  if (isEmpty) return `No requests yet. ${programName} chat, or point a client at ${programName} serve.`
  return `No requests with ${filters.join(' ')}, at any time.`
}

function dayIn(at: number, tz: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: tz, dateStyle: 'short' }).format(at)
}

function layoutOf(flags: Flags): ReportLayout {
  const isTerminal = process.stdout.isTTY && !flags.has('plain')
  if (flags.has('chart') && flags.has('no-chart')) writeErrorLine('Both --chart and --no-chart were given: no chart.')
  return {
    columns: process.stdout.isTTY ? process.stdout.columns : 100,
    hasChart: !flags.has('no-chart') && (isTerminal || flags.has('chart')),
    top: flags.number('top') ?? Infinity,
    compares: flags.has('compare'),
  }
}
