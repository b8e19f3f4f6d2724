import { routeFinder } from 'colloquy/engines'
import type { RouteConfig, ServeConfig } from './config.ts'
import { routesOf } from './engines.ts'

/** Whether replies of an engine are free: all but those of the API. An engine that is not in the configuration is not. */
export function isFree({ engines }: ServeConfig, name: string | undefined): boolean {
  const engine = name === undefined ? undefined : engines[name]
  return engine !== undefined && engine.type !== 'api'
}

/** Whether a reply of a model that has no price may cost something: because an engine of its route is not free. */
export function mayCost(config: ServeConfig, model: string): boolean {
  const routes = routesOf(config)
  const name = routeFinder(Object.keys(routes))(model)
  return name !== undefined && enginesIn(routes[name]!).some((engine) => !isFree(config, engine))
}

function enginesIn(route: RouteConfig): string[] {
  const targets = typeof route === 'object' && 'to' in route ? route.to : route
  const list = Array.isArray(targets) ? targets : [targets]
  return list.map((target) => (typeof target === 'string' ? target : target.engine))
}
