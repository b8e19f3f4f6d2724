import type { SlashCommand } from './command.ts'
import { findCommand } from './table.ts'

/** A line of the user: a message, or a command with its arguments. */
export type ChatLine =
  | { kind: 'message'; text: string }
  | { kind: 'command'; command: SlashCommand; words: string[]; rest: string }
  | { kind: 'unknown'; name: string }

/** Tells commands from messages. `//text` is the message `/text`. */
export function readLine(text: string): ChatLine {
  if (!text.startsWith('/')) return { kind: 'message', text }
  if (text.startsWith('//')) return { kind: 'message', text: text.slice(1) }
  const [, name = '', rest = ''] = /^\/(\S*)\s*([^]*)$/.exec(text) ?? []
  const command = findCommand(name)
  if (command === undefined) return { kind: 'unknown', name }
  return { kind: 'command', command, rest: rest.trim(), words: rest.split(/\s+/).filter((word) => word !== '') }
}
