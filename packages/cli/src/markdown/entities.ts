const named: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  trade: '™',
  hellip: '…',
  ndash: '–',
  mdash: '—',
  larr: '←',
  rarr: '→',
  le: '≤',
  ge: '≥',
  ne: '≠',
  times: '×',
  deg: '°',
  euro: '€',
}

/**
 * Replaces entities by their characters, in Markdown and in the markup of the highlighter. An entity that is not known stays
 * as it is.
 *
 * @param safe removes what the reader of a character must not get, such as a control character. Default: removes nothing.
 */
export function decodeEntities(text: string, safe: (character: string) => string = (character) => character): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w{1,31}));/g,
    (whole: string, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? whole
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
      return safe(characterOf(code)) || '\ufffd'
    },
  )
}

/** The character of a code; U+FFFD if it is none. */
function characterOf(code: number): string {
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  return isCharacter ? String.fromCodePoint(code) : '\ufffd'
}
