import {
  findRequest,
  type Grouping,
  groupings,
  Keys,
  readUsage,
  reprice,
  requestObject,
  type UsageFilter,
  usageObject,
} from '@colloquy/server/access'
import type { Database } from '@colloquy/server/store'
import { decimalUsd } from 'colloquy/protocol'
import { ExitCode, ExitError, UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { withServerState } from '../../server-store.ts'
import { writeDocument, writeErrorLine, writeJson, writeLine } from '../../terminal/output.ts'
import { csvOf, markdownOf } from './formats.ts'
import { type Period, readPeriod } from './period.ts'
import { reportOf } from './report.ts'
import type { UsageReport } from './usage-report.ts'

/** Runs `colloquy usage [PERIOD]`. */
export async function showUsage(words: readonly string[], flags: Flags): Promise<number> {
  const now = Date.now()
  const tz = zoneOf(flags)
  const period = readPeriod(words[0], flags, { now, tz })
  const by = groupingsOf(flags)
  return withServerState(flags, async ({ database }) => {
    const report = await readReport(database, { flags, period, by, tz, now })
    if (flags.has('json')) writeJson(jsonOf(report), 2)
    else if (flags.has('csv')) writeDocument(csvOf(report))
    else if (report.usage.total.requests === 0) writeLine(await emptyText(database, flags, period))
    else if (flags.has('md')) writeDocument(markdownOf(report))
    else for (const line of reportOf(report, layoutOf(flags))) writeLine(line)
    return ExitCode.ok
  })
}

/** Runs `colloquy usage request ID`. */
export async function showRequest([id]: readonly string[], flags: Flags): Promise<number> {
  if (id === undefined) throw new UsageError('Cannot show a request without its id: colloquy usage request ID')
  return withServerState(flags, async ({ database }) => {
    const row = await findRequest(database, id)
    if (row === undefined) throw new ExitError(ExitCode.failed, `No request ${id} is in the ledger.`)
    const found = requestObject(row, await namesOfKeys(database))
    if (flags.has('json')) writeJson(found, 2)
    else for (const [name, value] of Object.entries(found)) writeLine(`${name.padEnd(15)} ${shown(value)}`)
    return ExitCode.ok
  })
}

function shown(value: unknown): string {
  if (value === null) return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

interface ReportOptions {
  flags: Flags
  period: Period
  by: readonly Grouping[]
  tz: string
  now: number
}

async function readReport(db: Database, { flags, period, by, tz, now }: ReportOptions): Promise<UsageReport> {
  const keyNames = await namesOfKeys(db)
  const filter = filterOf(flags, period, keyNames)
  const { since, until } = period
  const before = { ...filter, since: since - (until - since), until: since }
  return {
    period,
    tz,
    by,
    keyNames,
    now,
    usage: await readUsage(db, { ...filter, by, tz }),
    before: since === 0 ? undefined : await readUsage(db, { ...before, by: flags.has('compare') ? by : [], tz }),
    models: await readUsage(db, { ...filter, by: ['model'], tz }),
    repriced: flags.has('reprice') ? await reprice(db, filter) : undefined,
  }
}

function filterOf(flags: Flags, { since, until }: Period, keyNames: ReadonlyMap<string, string>): UsageFilter {
  const [key, model, source] = ['key', 'model', 'source'].map((name) => flags.text(name))
  const keyId = [...keyNames].find(([, name]) => name === key)?.[0] ?? key
  return {
    since,
    until,
    ...(keyId !== undefined && { key: keyId }),
    ...(model !== undefined && { model }),
    ...(source !== undefined && { source }),
  }
}

async function namesOfKeys(db: Database): Promise<Map<string, string>> {
  return new Map((await new Keys(db).list()).map(({ id, name }) => [id, name]))
}

function zoneOf(flags: Flags): string {
  const tz = flags.text('tz') ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  try {
    Intl.DateTimeFormat('en', { timeZone: tz })
    return tz
  } catch {
    throw new UsageError(`Cannot use --tz ${tz}: give a time zone such as Europe/Paris`)
  }
}

function groupingsOf(flags: Flags): Grouping[] {
  const by = (flags.text('by') ?? 'day').split(',')
  const unknown = by.find((each) => !(groupings as readonly string[]).includes(each))
  if (unknown !== undefined)
    throw new UsageError(`Cannot group by ${unknown}: give one or two of ${groupings.join(', ')}`)
  if (by.length > 2) throw new UsageError('Cannot group by more than two fields')
  return by as Grouping[]
}

function jsonOf({ period, by, tz, usage, before, keyNames, repriced, now }: UsageReport): object {
  const until = Math.min(period.until, now)
  const found = usageObject(usage, { by, tz, since: period.since, until }, keyNames)
  return {
    ...found,
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

/** Explains why the report is empty, and names the last day that has requests. */
async function emptyText(db: Database, flags: Flags, { title }: Period): Promise<string> {
  const [last] = await db.rows<{ hour: number | null }>('read the usage', 'SELECT max(hour) AS hour FROM %.usage_hour')
  if (last?.hour == null) return 'No requests yet. colloquy chat, or point a client at colloquy serve.'
  const filters = ['key', 'model', 'source'].flatMap((name) =>
    flags.has(name) ? [`--${name} ${flags.text(name)}`] : [],
  )
  const where = filters.length === 0 ? '' : ` with ${filters.join(' ')}`
  return `No requests in ${title}${where}. The last one was on ${new Date(last.hour).toISOString().slice(0, 10)}.`
}

interface Layout {
  columns: number
  hasChart: boolean
  top: number
  compares: boolean
}

function layoutOf(flags: Flags): Layout {
  const isTerminal = process.stdout.isTTY && !flags.has('plain')
  if (flags.has('chart') && flags.has('no-chart')) writeErrorLine('Both --chart and --no-chart were given: no chart.')
  return {
    columns: process.stdout.isTTY ? process.stdout.columns : 100,
    hasChart: !flags.has('no-chart') && (isTerminal || flags.has('chart')),
    top: flags.number('top') ?? Infinity,
    compares: flags.has('compare'),
  }
}
