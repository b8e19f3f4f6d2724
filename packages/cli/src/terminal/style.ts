import { safeText } from './safe-text.ts'

/** A link to any other address could end its escape sequence. */
const printableAscii = /^[\x21-\x7e]*$/

/** The look of a piece of text. Colours are among the terminal's 16 named ones, so that they follow the user's theme. */
export interface Style {
  bold?: boolean
  dim?: boolean
  italic?: boolean
  underline?: boolean
  strike?: boolean
  inverse?: boolean
  color?: Color
  /** The address of a link. */
  link?: string
}

export type Color = keyof typeof colorCodes

export interface Span {
  text: string
  style: Style
}

const colorCodes = {
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  gray: 90,
} as const

/** Turns text with a style into text with escape sequences. Unsafe characters of the text are removed. */
export interface Painter {
  (text: string, style: Style): string
  /** Whether links are written as OSC 8 sequences. If not, their address must be in the text. */
  readonly links: boolean
  /** The colours. A painter without colours ignores it. */
  theme?: Theme
}

/**
 * - `default`: the terminal's own colours.
 * - `light`: none that is hard to read on a white background.
 * - `contrast`: bright colours, and nothing dim.
 * - `mono`: no colours.
 */
export type Theme = 'default' | 'light' | 'contrast' | 'mono'

/** A painter without styles, for pipes, `NO_COLOR` and dumb terminals. */
export const plainPainter: Painter = Object.assign((text: string): string => safeText(text), { links: false })

export function ansiPainter({ links, theme }: { links: boolean; theme?: Theme }): Painter {
  function paint(text: string, style: Style): string {
    const safe = safeText(text)
    const codes = codesOf(style, painter.theme)
    const painted = safe === '' || codes === '' ? safe : `\x1b[${codes}m${safe}\x1b[0m`
    const link = links ? style.link : undefined
    if (link === undefined || !printableAscii.test(link)) return painted
    return `\x1b]8;;${link}\x1b\\${painted}\x1b]8;;\x1b\\`
  }
  const painter: Painter = Object.assign(paint, { links, ...(theme && { theme }) })
  return painter
}

export function paintSpans(spans: readonly Span[], paint: Painter): string {
  return merge(spans)
    .map(({ text, style }) => paint(text, style))
    .join('')
}

function codesOf(style: Style, theme: Theme = 'default'): string {
  const codes: number[] = []
  if (style.bold) codes.push(1)
  if (style.dim && theme !== 'contrast') codes.push(theme === 'light' ? colorCodes.gray : 2)
  if (style.italic) codes.push(3)
  if (style.underline) codes.push(4)
  if (style.inverse) codes.push(7)
  if (style.strike) codes.push(9)
  if (style.color !== undefined && theme !== 'mono') codes.push(colorCode(style.color, theme))
  return codes.join(';')
}

/** Yellow and cyan on white are hard to read. */
const onLight: Partial<Record<Color, number>> = { yellow: colorCodes.magenta, cyan: colorCodes.blue }

function colorCode(color: Color, theme: Theme): number {
  const code = colorCodes[color]
  if (theme === 'light') return onLight[color] ?? code
  // The bright colours stand 60 above the normal ones.
  return theme === 'contrast' && code < 40 ? code + 60 : code
}

function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = []
  for (const span of spans) {
    const last = merged.at(-1)
    if (last !== undefined && sameStyle(last.style, span.style)) last.text += span.text
    else merged.push({ ...span })
  }
  return merged
}

function sameStyle(one: Style, other: Style): boolean {
  return codesOf(one) === codesOf(other) && one.link === other.link
}
