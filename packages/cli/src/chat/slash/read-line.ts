import type { SlashCommand } from './command.ts'
import { findCommand } from './table.ts'

/** A line of the user: a message, or a command with its arguments. */
export type ChatLine =
  | { kind: 'message'; text: string }
  | { kind: 'command'; command: SlashCommand; words: string[]; rest: string }
  | { kind: 'unknown'; name: string; words: string[]; rest: string }

/** Tells commands from messages. `//text` is the message `/text`. */
export function readLine(text: string): ChatLine {
  if (!text.startsWith('/')) return { kind: 'message', text }
  if (text.startsWith('//')) return { kind: 'message', text: text.slice(1) }
  const [, name = '', given = ''] = /^\/(\S*)\s*([^]*)$/.exec(text) ?? []
  const command = findCommand(name)
  const rest = given.trim()
  const words = rest.split(/\s+/).filter((word) => word !== '')
  return command === undefined ? { kind: 'unknown', name, words, rest } : { kind: 'command', command, words, rest }
}
