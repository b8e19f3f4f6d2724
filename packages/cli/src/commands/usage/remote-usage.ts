import { type Repriced, type Usage, type UsageFilter, usageFrom, type UsageQuery } from '@colloquy/server/access'
import { Anthropic } from 'colloquy'
import { APIError, fromUsd } from 'colloquy/protocol'
import { ExitCode, ExitError, UsageError } from '../../exit.ts'
import type { Environment } from '../../flags.ts'
import type { UsageSource } from './usage-source.ts'

/** Usage of a server, by its admin API. */
export class RemoteUsage implements UsageSource {
  readonly #client: Anthropic
  readonly #keyNames = new Map<string, string>()

  /** Throws an `ExitError` if `COLLOQUY_ADMIN_KEY` is missing. */
  constructor(url: string, env: Environment = process.env) {
    if (!/^https?:\/\//.test(url))
      throw new UsageError(`Cannot use --remote ${url}: give a URL such as https://ai.example.com`)
    const apiKey = env['COLLOQUY_ADMIN_KEY']
    if (!apiKey) throw new ExitError(ExitCode.key, `No key for ${url}. Put an admin key into COLLOQUY_ADMIN_KEY.`)
    this.#client = new Anthropic({ baseURL: url, apiKey, authToken: null })
  }

  async read(query: UsageQuery): Promise<Usage> {
    const { usage, keyNames } = usageFrom(await this.#get('/admin/usage', { ...searchOf(query), ...groupsOf(query) }))
    for (const [id, name] of keyNames) this.#keyNames.set(id, name)
    return usage
  }

  async keyNames(): Promise<ReadonlyMap<string, string>> {
    return this.#keyNames
  }

  async reprice(filter: UsageFilter): Promise<Repriced> {
    const search = { ...searchOf(filter), by: 'model', reprice: '' }
    const { repriced } = (await this.#get('/admin/usage', search)) as { repriced: WrittenReprice }
    const { requests, usd, repriced_usd: after, newly_priced: newlyPriced } = repriced
    return { requests, before: fromUsd(usd), after: fromUsd(after), newlyPriced }
  }

  async nearest({ since, until, ...filter }: UsageFilter): Promise<number | undefined> {
    const { rows } = await this.read({ ...filter, since: 0, until: Math.max(until, Date.now()), by: ['day'] })
    // Noon is on the same day in most time zones.
    const times = rows.map(({ group }) => Date.parse(`${group.day}T12:00:00Z`)).toSorted((a, b) => a - b)
    return times.findLast((time) => time < since) ?? times[0]
  }

  async request(id: string): Promise<object | undefined> {
    try {
      return await this.#get(`/admin/requests/${encodeURIComponent(id)}`, {})
    } catch (error) {
      if (error instanceof APIError && error.status === 404) return undefined
      throw error
    }
  }

  #get(path: string, query: Search): Promise<object> {
    return this.#client.get<object>(path, { query })
  }
}

type Search = Record<string, string>

interface WrittenReprice {
  requests: number
  usd: string
  repriced_usd: string
  newly_priced: number
}

function searchOf({ since, until, key, model, source, workspace }: UsageFilter): Search {
  const period = { since: new Date(since).toISOString(), until: new Date(until).toISOString() }
  return { ...period, ...definedOf({ key, model, source, workspace }) }
}

function groupsOf({ by, tz = 'UTC' }: UsageQuery): Search {
  // The server groups by at least one field. The total is the same for each.
  return { by: by.length === 0 ? 'model' : by.join(','), tz }
}

function definedOf(values: Record<string, string | undefined>): Search {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
