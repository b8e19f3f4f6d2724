import { nearestName } from '../../protocol/json/option-names.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import {
  aboveZero,
  anything,
  callable,
  checkOptions,
  clockRule,
  flag,
  object,
  type Rule,
  text,
} from '../check-options.ts'
import type { Clock } from '../clock.ts'
import type { FallbackReason } from './failure.ts'

/** Options of `route()`. */
export interface RouteOptions {
  /** The engines by name. Several of one name share its requests, such as clients with keys of their own. */
  engines: Record<string, Engine | readonly Engine[]>
  /**
   * The engines for a model: by the model's id, by a beginning and `*`, or `*` for all others. The id of a model of the
   * catalogue stands for its aliases too. The exact name wins, then the longest beginning.
   */
  routes: Record<string, string | readonly (string | Target)[] | Route>
  /** Milliseconds to leave an engine alone after a 429 or 529 that does not say how long. Default 5,000. */
  coolDownMs?: number
  /** Failures in a row after which an engine is left alone. Default 5. */
  breakAfter?: number
  /** Milliseconds to leave it alone, until one request tries it. Default 30,000. */
  breakForMs?: number
  /** Default: the machine's clock. */
  clock?: Clock
  /** Returns a number from 0 to below 1. Default `Math.random`. */
  random?: () => number
}

/** The engines that answer for a model. */
export interface Route {
  /**
   * The engines in the order in which they are tried. If some have a weight, one of these is drawn to be the first, and the
   * others follow.
   */
  to: string | Target | readonly (string | Target)[]
  /** The reasons to try the next engine, before the first event. Default: all but `request`. */
  fallbackOn?: readonly FallbackReason[]
  /** Milliseconds that an engine has until its first event. Default: its own timeout. */
  firstEventTimeoutMs?: number
  /** The most replies in flight; a request beyond is an `overloaded_error`. Default: no limit. */
  maxConcurrent?: number
  /**
   * Whether the requests of a conversation prefer the same engine, told by its first message and `metadata.user_id`, so that
   * its prompt cache is of use and its thinking is accepted. Default true; false draws for each request.
   */
  sticky?: boolean
}

/** An engine of a route. */
export interface Target {
  /** The name of the engine. */
  engine: string
  /** The model to request from it. Default: the request's. */
  model?: string
  /** The share of the requests that it gets first, relative to the other weights. */
  weight?: number
}

const reasons = ['overload', 'timeout', 'error', 'refusal', 'request'] satisfies FallbackReason[]
const optionRules = {
  engines: object,
  routes: object,
  coolDownMs: aboveZero,
  breakAfter: aboveZero,
  breakForMs: aboveZero,
  clock: clockRule,
  random: callable,
} satisfies Record<keyof RouteOptions, Rule>
const routeRules = {
  to: anything,
  fallbackOn: { must: 'a list of reasons', holds: Array.isArray },
  firstEventTimeoutMs: aboveZero,
  maxConcurrent: aboveZero,
  sticky: flag,
} satisfies Record<keyof Route, Rule>
const targetRules = { engine: anything, model: text, weight: aboveZero } satisfies Record<keyof Target, Rule>

/** Throws an `AnthropicError` for an option that is not known, an engine that does not exist, or a limit that is not positive. */
export function checkRouteOptions(options: RouteOptions): void {
  checkOptions(options, optionRules, 'route()')
  const { engines, routes } = options
  const names = Object.keys(engines ?? {})
  for (const name of names) checkEngine(engines[name], name)
  if (Object.keys(routes ?? {}).length === 0)
    throw new AnthropicError('Cannot use route() without routes: add one, such as { "*": "NAME OF AN ENGINE" }')
  for (const [name, route] of Object.entries(routes)) checkRoute(name, routeOf(route), names)
}

/** A route that is given by its engines alone, as an object. */
export function routeOf(route: RouteOptions['routes'][string]): Route {
  return typeof route === 'string' || isList(route) ? { to: route } : route
}

function isList(route: RouteOptions['routes'][string]): route is readonly (string | Target)[] {
  return Array.isArray(route)
}

/** The targets of a route, each as an object. */
export function targetsOf({ to }: Route): Target[] {
  const list = (Array.isArray(to) ? to : [to]) as readonly (string | Target)[]
  return list.map((target) => (typeof target === 'string' ? { engine: target } : target))
}

function checkEngine(engine: unknown, name: string): void {
  const list = (Array.isArray(engine) ? engine : [engine]) as unknown[]
  if (list.length > 0 && list.every((each) => typeof each === 'function')) return
  throw new AnthropicError(`Cannot use the engine ${name} of route(): it must be an engine or a list of engines`)
}

function checkRoute(name: string, route: Route, engines: readonly string[]): void {
  checkOptions(route, routeRules, `the route ${name}`)
  if (name.slice(0, -1).includes('*'))
    throw new AnthropicError(`Cannot use the route ${name}: a * may stand at the end only`)
  for (const reason of route.fallbackOn ?? [])
    if (!reasons.includes(reason))
      throw new AnthropicError(
        `Cannot use fallbackOn of the route ${name}: ${reason} is not one of ${reasons.join(', ')}`,
      )
  const targets = route.to === undefined ? [] : targetsOf(route)
  if (targets.length === 0) throw new AnthropicError(`Cannot use the route ${name}: it has no engine`)
  for (const target of targets) checkTarget(name, target, engines)
}

function checkTarget(name: string, target: Target, engines: readonly string[]): void {
  checkOptions(target, targetRules, `the route ${name}`)
  if (engines.includes(target.engine)) return
  if (typeof target.engine !== 'string') throw new AnthropicError(`Cannot use the route ${name}: engine is missing`)
  const nearest = nearestName(target.engine, engines)
  const hint = nearest === undefined ? `the engines are ${engines.join(', ') || '(none)'}` : `did you mean ${nearest}?`
  throw new AnthropicError(`Cannot use the route ${name}: there is no engine ${target.engine}: ${hint}`)
}
