import { findModel, models, nearMiss } from 'colloquy/protocol'
import type { EngineKind } from '../../engine/engine-kind.ts'
import type { Environment } from '../../flags.ts'

/** The id for a name: `haiku` is the newest of that line. Servers other than Claude have names of their own. */
export function modelId(name: string, { kind }: EngineKind, env: Environment = process.env): string {
  const isClaude = kind === 'offline' || (kind === 'api' && !env['ANTHROPIC_BASE_URL'])
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
