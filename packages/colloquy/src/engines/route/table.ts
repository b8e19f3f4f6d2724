import { apiError } from '../../protocol/types/error-response.ts'
import { systemClock } from '../clock.ts'
import type { Group } from './candidates.ts'
import type { FallbackReason } from './failure.ts'
import { routeFinder } from './find-route.ts'
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
  readonly #byName: ReadonlyMap<string, PreparedRoute>
  readonly #nameFor: (model: string) => string | undefined

  constructor(options: RouteOptions) {
    const members = membersByName(options)
    this.routes = Object.entries(options.routes).map(([name, route]) => prepare(name, routeOf(route), members))
    this.#byName = new Map(this.routes.map((route) => [route.name, route]))
    this.#nameFor = routeFinder([...this.#byName.keys()])
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
    const found = this.#byName.get(this.#nameFor(model) ?? '')
    if (found === undefined) throw apiError('not_found_error', `model: ${model.slice(0, 200)}`)
    return found
  }
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
