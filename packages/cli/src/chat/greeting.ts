import { engineLabel, engineQuality, type EngineKind } from '../engine/engine-kind.ts'
import { isByDefault } from '../engine/choose.ts'
import type { Flags } from '../flags.ts'
import { modelFrom } from './settings/settings.ts'
import { programName } from '../terminal/program-name.ts'

/** The first lines of a chat: program, model and engine, then the most important keys. Without an engine if none is found yet. */
export function greeting(flags: Flags, engine: EngineKind | undefined): string[] {
  return [
    engine === undefined ? 'colloquy' : `colloquy · ${answeredBy(newModel(flags, engine), engine)}`,
    '/help for commands · Ctrl-C stops a reply · Ctrl-D leaves',
    ...(engine !== undefined && isByDefault(flags) ? adviceFor(engine) : []),
  ]
}

/** `SmolLM2 135M · on this machine · fluent, often wrong`. */
export function answeredBy(model: string, engine: EngineKind): string {
  return [model, engineLabel(engine), engineQuality(engine)].filter((part) => part !== '').join(' · ')
}

/** The lines about an engine that was found after the greeting. How it was found has been said already. */
export function foundGreeting(flags: Flags, engine: EngineKind): string[] {
  const line = answeredBy(newModel(flags, engine), engine)
  return engine.kind === 'offline' || !isByDefault(flags)
    ? [line]
    : [line, '/model lists the others. Set ANTHROPIC_API_KEY to talk to Claude.']
}

/** The model of a new chat. Empty if a chat is continued that may have one of the server's models. */
function newModel(flags: Flags, engine: EngineKind): string {
  const isContinued = flags.has('continue') || flags.has('resume')
  const isOpen = engine.kind === 'chat' && engine.model === undefined && engine.served !== undefined
  return isOpen && isContinued ? '' : modelFrom(flags, engine)
}

function adviceFor(engine: EngineKind): string[] {
  if (engine.kind === 'local' || engine.kind === 'chat')
    return [
      'No API key is set, so a model on this machine replies. /model lists the others. Set ANTHROPIC_API_KEY to talk to Claude.',
    ]
  if (engine.kind !== 'offline') return []
  return [
    `No API key is set, so the offline engine replies: a small program, not a model. Set ANTHROPIC_API_KEY to talk to Claude, or fetch a small model: ${programName} models get smollm2`,
  ]
}
