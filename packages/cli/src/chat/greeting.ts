import { engineKind, engineLabel } from '../connect.ts'
import type { Flags } from '../flags.ts'
import { modelFrom } from './settings.ts'

/** The first lines of a chat: program, model and engine, then the most important keys. */
export function greeting(flags: Flags): string[] {
  const kind = engineKind(flags)
  const lines = [
    `colloquy · ${modelFrom(flags)} · ${engineLabel(kind)}`,
    '/help for commands · Ctrl-C stops a reply · Ctrl-D leaves',
  ]
  if (kind !== 'offline' || flags.has('engine')) return lines
  return [
    ...lines,
    'No API key is set, so the offline engine replies: a small program, not a model. Set ANTHROPIC_API_KEY to talk to Claude.',
  ]
}
