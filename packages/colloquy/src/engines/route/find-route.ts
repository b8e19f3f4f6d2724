import { findModel } from '../../protocol/models/models.ts'

/**
 * A function that finds the name of the route of a model among these names, as `route()` does: the model's own name or another
 * name of it in the catalogue, otherwise the longest beginning that ends with `*`. Undefined if no route is for the model.
 *
 * @example
 * ```ts
 * import { routeFinder } from 'colloquy/engines'
 *
 * const routeOf = routeFinder(['claude-haiku-4-5', 'claude-*'])
 * console.log(routeOf('claude-haiku-4-5-20251001')) // claude-haiku-4-5
 * console.log(routeOf('claude-sonnet-4-6')) // claude-*
 * ```
 */
export function routeFinder(names: readonly string[]): (model: string) => string | undefined {
  const exact = names.filter((name) => !name.endsWith('*'))
  // A route by the model's own name comes before one by another name of it.
  const own = exact.map((name) => [name, name] as const)
  const byName = new Map([...exact.flatMap(catalogueNames), ...own])
  const beginnings = names.filter((name) => name.endsWith('*')).toSorted((a, b) => b.length - a.length)
  return (model) => byName.get(model) ?? beginnings.find((name) => model.startsWith(name.slice(0, -1)))
}

/** The names by which the catalogue knows a model, each with the name of the route. */
function catalogueNames(name: string): (readonly [model: string, name: string])[] {
  const entry = findModel(name)
  return entry === undefined ? [] : [entry.id, ...entry.aliases].map((model) => [model, name] as const)
}
