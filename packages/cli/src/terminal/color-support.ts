import { ansiPainter, plainPainter, type Painter, type Theme } from './style.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ColorOptions {
  /** The value of `--color`: `always`, `never` or `auto`. Default `auto`. */
  color?: string | undefined
  /** The value of `theme`. Default `default`. */
  theme?: string | undefined
  /** No colours unless `color` is `always`. */
  isPlain?: boolean
}

/**
 * The painter for standard output. In `auto` mode it uses colours on a terminal, unless `NO_COLOR`, `CI` or `TERM=dumb` is
 * set.
 */
export function painterFor(options: ColorOptions, env: Environment = process.env): Painter {
  if (!hasColor(options, env)) return plainPainter
  const { theme = 'default' } = options
  // The configuration has checked the name.
  return ansiPainter({ links: opensLinks(env), theme: theme as Theme })
}

function hasColor({ color, isPlain = false }: ColorOptions, env: Environment): boolean {
  if (color === 'always') return true
  if (color === 'never' || isPlain) return false
  return process.stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb' && !env['CI']
}

/** Whether the terminal opens OSC 8 links. Other terminals would show the text of a link but not its address. */
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
