import { Anthropic } from 'colloquy'
import { formatUsd, fromUsd } from 'colloquy/protocol'
import { claudeURL } from '../../engine/credentials.ts'
import { ExitCode, ExitError } from '../../exit.ts'
import type { Environment } from '../../flags.ts'
import type { Period } from './period.ts'
import type { UsageSource } from './usage-source.ts'

/** The cost of a day here and in the organization's account. Amounts are picodollars. */
export interface ComparedDay {
  /** `2026-11-25`, in UTC. */
  day: string
  here: bigint
  claude: bigint
}

/** A page of the Usage & Cost API. Amounts are cents as decimal strings. */
interface CostPage {
  data: { starting_at: string; results: { amount: string; currency: string }[] }[]
  has_more: boolean
  next_page: string | null
}

const centsInDollar = 100n
const daysInPage = 31

/**
 * Compares the costs of days with those of the organization's Usage & Cost API. Both are by days in UTC. Throws an
 * `ExitError` if `ANTHROPIC_ADMIN_KEY` is missing.
 */
export async function compareDays(
  source: UsageSource,
  { since, until }: Period,
  env: Environment = process.env,
): Promise<ComparedDay[]> {
  const apiKey = env['ANTHROPIC_ADMIN_KEY']
  if (!apiKey)
    throw new ExitError(
      ExitCode.key,
      'No admin key of the organization. Set ANTHROPIC_ADMIN_KEY, or give the URL of a server: --remote URL.',
    )
  // An ANTHROPIC_BASE_URL is another server, which has no account. The global fetch is what tests replace.
  const client = new Anthropic({
    baseURL: claudeURL,
    apiKey,
    authToken: null,
    fetch: globalThis.fetch,
  })
  const claude = await costsOf(client, { since, until })
  const { rows } = await source.read({ since, until, by: ['day'], tz: 'UTC' })
  const here = new Map(rows.map(({ group, cost }) => [group.day!, cost]))
  return [...new Set([...claude.keys(), ...here.keys()])].toSorted().map((day) => {
    return { day, here: here.get(day) ?? 0n, claude: claude.get(day) ?? 0n }
  })
}

async function costsOf(
  client: Anthropic,
  { since, until }: Pick<Period, 'since' | 'until'>,
): Promise<Map<string, bigint>> {
  const costs = new Map<string, bigint>()
  let page: string | null | undefined
  do {
    const query = {
      starting_at: dayStart(since),
      ending_at: dayStart(until + 86_399_999),
      bucket_width: '1d',
      limit: daysInPage,
      ...(page != null && { page }),
    }
    const found: CostPage = await client.get<CostPage>('/v1/organizations/cost_report', { query })
    for (const { starting_at: start, results } of found.data) {
      const cents = results.reduce((sum, { amount }) => sum + fromUsd(amount), 0n)
      if (cents !== 0n) costs.set(start.slice(0, 10), cents / centsInDollar)
    }
    page = found.has_more ? found.next_page : undefined
  } while (page != null)
  return costs
}

function dayStart(at: number): string {
  return `${new Date(at).toISOString().slice(0, 10)}T00:00:00Z`
}

/** The comparison as lines of text. */
export function comparisonLines(days: readonly ComparedDay[]): string[] {
  const sum = (pick: (day: ComparedDay) => bigint): bigint => days.reduce((total, day) => total + pick(day), 0n)
  const total = { day: 'total', here: sum(({ here }) => here), claude: sum(({ claude }) => claude) }
  const lines = [...days, total].map(({ day, here, claude }) => {
    const difference = claude - here
    const signed = difference < 0n ? `-${formatUsd(-difference)}` : `+${formatUsd(difference)}`
    return ` ${day.padEnd(10)}  ${[formatUsd(here), formatUsd(claude), signed].map((cell) => cell.padStart(10)).join('  ')}`
  })
  return [' day (UTC)         here      Claude  difference', ...lines]
}
