import { findModel, models, nearMiss } from 'colloquy/protocol'
import type { EngineKind } from '../../engine/engine-kind.ts'

/** The id for a name: `haiku` is the newest of that line. Servers of Chat Completions have names of their own. */
export function modelId(name: string, { kind }: EngineKind): string {
  const isClaude = kind === 'api' || kind === 'url' || kind === 'offline'
  const newest = models.find(({ line, lifecycle }) => line === name.toLowerCase() && lifecycle === 'active')
  return (isClaude ? newest?.id : undefined) ?? name
}

/** The model of the catalogue that was probably meant by a name that it does not have. */
export function meantModel(name: string): string | undefined {
  if (findModel(name) !== undefined) return undefined
  return nearMiss(
    name,
    models.flatMap(({ id, aliases }) => [id, ...aliases]),
  )
}
