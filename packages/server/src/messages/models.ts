import { type ListPage, type ModelEntry, type ModelInfo, apiError, modelInfo } from 'colloquy/protocol'
import { readPageQuery } from './page-query.ts'
import { refuse, shortened } from './validate/schema.ts'

/** The models that a server offers, by id and alias. */
export class Models {
  readonly #entries: readonly ModelEntry[]
  readonly #byId = new Map<string, ModelEntry>()

  constructor(entries: readonly ModelEntry[]) {
    this.#entries = entries.toSorted((a, b) => (a.releasedOn < b.releasedOn ? 1 : a.releasedOn > b.releasedOn ? -1 : 0))
    for (const entry of entries) for (const id of [entry.id, ...entry.aliases]) this.#byId.set(id, entry)
  }

  find(id: string): ModelEntry | undefined {
    return this.#byId.get(id)
  }

  /**
   * The description of a model. Throws the API's 404 if the model is not served.
   *
   * @param listed the engine's own list, which decides which models are served. The catalogue knows their other names.
   */
  info(id: string, listed?: readonly ModelInfo[]): ModelInfo {
    const entry = this.find(id)
    const known = listed ?? (entry ? [modelInfo(entry)] : [])
    const found = known.find((info) => info.id === id) ?? known.find((info) => info.id === entry?.id)
    if (!found) throw apiError('not_found_error', shortened(`model: ${id}`))
    return found
  }

  /**
   * A page of models, newest first: active and deprecated ones unless the query names lifecycles.
   *
   * @param listed the engine's own list. Default: the entries.
   */
  page(query: URLSearchParams, listed: readonly ModelInfo[] = this.#entries.map(modelInfo)): ListPage<ModelInfo> {
    const lifecycles = readLifecycles(query)
    const all = listed.filter(({ lifecycle = 'active' }) => lifecycles.has(lifecycle))
    const { data, has_more } = slice(all, query)
    return { data, has_more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
  }
}

const known = ['active', 'deprecated', 'retired']

function readLifecycles(query: URLSearchParams): Set<string | undefined> {
  const asked = [...query.getAll('lifecycle[]'), ...query.getAll('lifecycle')]
  asked.forEach((value, index) => {
    if (!known.includes(value)) refuse(`lifecycle.${index}`, "Input should be 'active', 'deprecated' or 'retired'")
  })
  return new Set(asked.length > 0 ? asked : ['active', 'deprecated'])
}

function slice(all: readonly ModelInfo[], query: URLSearchParams): { data: ModelInfo[]; has_more: boolean } {
  const { limit, before, after } = readPageQuery(query)
  if (before !== null) {
    const end = indexOf(all, before, 'before_id')
    const start = Math.max(0, end - limit)
    return { data: all.slice(start, end), has_more: start > 0 }
  }
  const start = after === null ? 0 : indexOf(all, after, 'after_id') + 1
  return { data: all.slice(start, start + limit), has_more: start + limit < all.length }
}

function indexOf(all: readonly ModelInfo[], id: string, path: string): number {
  const index = all.findIndex((model) => model.id === id)
  if (index < 0) refuse(path, `no model with id '${id}'`)
  return index
}
