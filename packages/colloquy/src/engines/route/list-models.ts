import { modelInfo } from '../../protocol/models/model-info.ts'
import { findModel, models as catalogue } from '../../protocol/models/models.ts'
import type { EngineContext } from '../../protocol/types/engine.ts'
import type { ModelInfo } from '../../protocol/types/resources/model.ts'
import type { Group } from './candidates.ts'
import type { PreparedRoute } from './table.ts'

/** The models that routes answer for, newest first: as their engines list them, else as the catalogue does. */
export async function routedModels(
  routes: readonly PreparedRoute[],
  context: EngineContext | undefined,
): Promise<ModelInfo[]> {
  const lists = await Promise.all(routes.map((route) => modelsOf(route, context)))
  const byId = new Map(lists.flat().map((model) => [model.id, model]))
  return [...byId.values()].toSorted((a, b) => (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0))
}

async function modelsOf({ name, groups }: PreparedRoute, context: EngineContext | undefined): Promise<ModelInfo[]> {
  const [first] = groups
  const listed = await listOf(first!, context)
  if (!name.endsWith('*')) return [namedModel(name, first!.model, listed)]
  const prefix = name.slice(0, -1)
  // An engine that gets another model's name lists none of the names that requests may use.
  const known = first!.model === undefined ? listed : undefined
  return (known ?? catalogue.map(modelInfo)).filter(({ id }) => id.startsWith(prefix))
}

/** The engine's own list. Undefined if it has none, or if it cannot be had now: a list must not fail because one engine does. */
async function listOf(
  { members }: Group,
  context: EngineContext | undefined,
): Promise<readonly ModelInfo[] | undefined> {
  try {
    return await members[0]!.engine.listModels?.(context)
  } catch {
    return undefined
  }
}

function namedModel(name: string, served: string | undefined, listed: readonly ModelInfo[] | undefined): ModelInfo {
  const own = listed?.find(({ id }) => id === (served ?? name))
  const entry = findModel(name) ?? (served === undefined ? undefined : findModel(served))
  const info = own ?? (entry && modelInfo(entry))
  return info ? { ...info, id: name } : unknownModel(name)
}

function unknownModel(id: string): ModelInfo {
  // As the API says that the day is not known.
  const created_at = '1970-01-01T00:00:00Z'
  return {
    type: 'model',
    id,
    display_name: id,
    created_at,
    max_input_tokens: null,
    max_tokens: null,
    capabilities: null,
  }
}
