import { apiError } from '../../protocol/types/error-response.ts'
import { findModel } from '../../protocol/models/models.ts'
import { systemClock } from '../clock.ts'
import type { Group } from './candidates.ts'
import type { FallbackReason } from './failure.ts'
import { Health } from './health.ts'
import { type Route, type RouteOptions, routeOf, targetsOf } from './options.ts'

/** A route, ready for use. */
export interface PreparedRoute {
  name: string
  groups: readonly Group[]
  fallbackOn: ReadonlySet<FallbackReason>
  firstEventTimeoutMs: number | undefined
  maxConcurrent: number
  isSticky: boolean
  /** Replies in flight. */
  inFlight: number
}

/** Finds the route of a model. */
export class RouteTable {
  readonly routes: readonly PreparedRoute[]
  readonly #byName = new Map<string, PreparedRoute>()
  /** Longest first. The beginning of `*` is empty. */
  readonly #byPrefix: readonly { prefix: string; route: PreparedRoute }[]

  constructor(options: RouteOptions) {
    const members = membersByName(options)
    const routes = Object.entries(options.routes).map(([name, route]) => prepare(name, routeOf(route), members))
    this.routes = routes
    const exact = routes.filter(({ name }) => !name.endsWith('*'))
    for (const route of exact) for (const name of catalogueNames(route.name)) this.#byName.set(name, route)
    for (const route of exact) this.#byName.set(route.name, route)
    this.#byPrefix = routes
      .filter(({ name }) => name.endsWith('*'))
      .map((route) => ({ prefix: route.name.slice(0, -1), route }))
      .toSorted((a, b) => b.prefix.length - a.prefix.length)
  }

  /** Whether every engine sends requests on as they are. */
  get forwards(): boolean {
    const groups = this.routes.flatMap((route) => route.groups)
    return groups.every(
      ({ model, members }) => model === undefined && members.every(({ engine }) => 'forward' in engine),
    )
  }

  /** Throws the API's 404 if no route is for the model. */
  find(model: string): PreparedRoute {
    const found = this.#byName.get(model) ?? this.#byPrefix.find(({ prefix }) => model.startsWith(prefix))?.route
    if (found === undefined) throw apiError('not_found_error', `model: ${model.slice(0, 200)}`)
    return found
  }
}

/** The names by which the catalogue knows a model. */
function catalogueNames(name: string): string[] {
  const entry = findModel(name)
  return entry === undefined ? [] : [entry.id, ...entry.aliases]
}

function membersByName(options: RouteOptions): Map<string, Group['members']> {
  const { engines, clock = systemClock, coolDownMs = 5_000, breakAfter = 5, breakForMs = 30_000 } = options
  return new Map(
    Object.entries(engines).map(([name, given]) => {
      const list = typeof given === 'function' ? [given] : given
      return [
        name,
        list.map((engine) => ({ engine, health: new Health({ coolDownMs, breakAfter, breakForMs }, clock) })),
      ]
    }),
  )
}

function prepare(name: string, route: Route, members: Map<string, Group['members']>): PreparedRoute {
  const { fallbackOn = ['overload', 'timeout', 'error', 'refusal'] } = route
  return {
    name,
    groups: targetsOf(route).map(({ engine, model, weight }) => ({
      name: engine,
      members: members.get(engine)!,
      model,
      weight,
    })),
    fallbackOn: new Set(fallbackOn),
    firstEventTimeoutMs: route.firstEventTimeoutMs,
    maxConcurrent: route.maxConcurrent ?? Infinity,
    isSticky: route.sticky ?? true,
    inFlight: 0,
  }
}
