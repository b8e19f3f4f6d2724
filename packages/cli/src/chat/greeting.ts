import { engineKind, engineLabel, isByDefault, type EngineKind } from '../engine/engine-kind.ts'
import type { Flags } from '../flags.ts'
import { modelFrom } from './settings.ts'

/** The first lines of a chat: program, model and engine, then the most important keys. */
export function greeting(flags: Flags): string[] {
  const engine = engineKind(flags)
  const model = modelFrom(flags, engine)
  return [
    ['colloquy', model, engineLabel(engine), quality(engine)].filter(Boolean).join(' · '),
    '/help for commands · Ctrl-C stops a reply · Ctrl-D leaves',
    ...(isByDefault(flags) ? adviceFor(engine) : []),
  ]
}

/** Honest words about a model that is too small to be relied on. */
function quality(engine: EngineKind): string {
  if (engine.kind !== 'local' || (engine.model.parameters ?? Infinity) >= 1_000) return ''
  return 'fluent, often wrong'
}

function adviceFor(engine: EngineKind): string[] {
  if (engine.kind === 'local')
    return ['No API key is set, so a model on this machine replies. Set ANTHROPIC_API_KEY to talk to Claude.']
  if (engine.kind !== 'offline') return []
  return [
    'No API key is set, so the offline engine replies: a small program, not a model. Set ANTHROPIC_API_KEY to talk to Claude, or fetch a small model: colloquy models get smollm2',
  ]
}
