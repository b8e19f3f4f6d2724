/**
 * Characters that a terminal obeys instead of showing, and the Unicode bidi controls, which can make text read as something
 * else: C0 except tab and line feed, DEL, C1, and the code points with the property Bidi_Control. Interlinear annotation
 * controls hide text.
 */
const unsafe = '\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufff9-\\ufffb'
const unsafeCharacter = new RegExp(`[${unsafe}]`, 'g')
const unsafeInJson = new RegExp(`[${unsafe}\\u2028\\u2029]`, 'g')
const lineBreak = /\r\n|[\n\r\x85\u2028\u2029]/g
/** The sequences that painters write (colours and links), or a character that must not be in a painted line. */
const paintedPart = new RegExp(
  `(\\x1b\\[[\\d;]*m|\\x1b\\]8;;[\\x20-\\x7e]*\\x1b\\\\)|[${unsafe}\\n\\u2028\\u2029]`,
  'g',
)

/**
 * Removes everything from a text that could control a terminal or disguise the text. Line breaks and tabs stay. All text from
 * outside passes through here before it is painted or written.
 */
export function safeText(text: string): string {
  return text.replace(unsafeCharacter, '')
}

/** As `safeText()`, and each line break becomes a space, so that the text cannot pose as another line. */
export function safeLine(text: string): string {
  return safeText(text.replace(lineBreak, ' '))
}

/** Removes everything from a painted line except text, colours and links. */
export function safePainted(line: string): string {
  return line.replace(paintedPart, (_part, sequence: string | undefined) => sequence ?? '')
}

/** JSON in which unsafe characters and the line breaks of Unicode are written as `\u` escapes. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(unsafeInJson, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** The address of a link if it is safe to open. */
export function safeAddress(href: string): string | undefined {
  return /^(?:https?:\/\/|mailto:)[^\s\x00-\x1f\x7f]+$/i.test(href) ? href : undefined
}
