import type { Flags } from '../command.ts'
import { ansiPainter, plainPainter, type Painter } from '../terminal/style.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Colours on a terminal that has them and where nobody objects: `--color` before `--plain`, `NO_COLOR` and the rest. */
function hasColor(flags: Flags, isTerminal: boolean, env: Environment = process.env): boolean {
  const asked = flags.text('color')
  if (asked === 'always') return true
  if (asked === 'never' || flags.has('plain')) return false
  return isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb' && !env['CI']
}

export function painterFor(flags: Flags, env: Environment = process.env): Painter {
  if (!hasColor(flags, process.stdout.isTTY, env)) return plainPainter
  return ansiPainter({ links: opensLinks(env) })
}

/** Whether the terminal is one that opens OSC 8 links; the others would show nothing of the address. */
function opensLinks(env: Environment): boolean {
  const forced = env['FORCE_HYPERLINK']
  if (forced !== undefined) return forced !== '0'
  if (env['WT_SESSION'] || env['KITTY_WINDOW_ID'] || env['KONSOLE_VERSION']) return true
  if (Number(env['VTE_VERSION'] ?? 0) >= 5000) return true
  return (
    /^(?:iTerm\.app|WezTerm|vscode|ghostty|Hyper|rio)$/i.test(env['TERM_PROGRAM'] ?? '') ||
    /kitty|ghostty|foot/.test(env['TERM'] ?? '')
  )
}
