import { type Regex, RegexError } from '../../../protocol/json/regex.ts'

const maxCharacters = 100_000

/** A text that a regular expression matches, at least `minLength` UTF-16 units long if repetitions allow it. */
export function exampleOf(regex: Regex, minLength = 0): string {
  return write(regex, extraFor(regex, minLength))
}

/** The smallest number of extra repetitions that makes the text long enough. 0 if none does. */
function extraFor(regex: Regex, minLength: number): number {
  if (lengthOf(regex, 0) > maxCharacters) throw new RegexError('pattern matches only long texts')
  if (minLength > maxCharacters || lengthOf(regex, minLength) < minLength) return 0
  let low = 0
  let high = minLength
  while (low < high) {
    const middle = (low + high) >> 1
    if (lengthOf(regex, middle) >= minLength) high = middle
    else low = middle + 1
  }
  if (lengthOf(regex, low) > 2 * maxCharacters) throw new RegexError('pattern matches only long texts')
  return low
}

/** The length of `write(regex, extra)`, without writing it. */
function lengthOf(regex: Regex, extra: number): number {
  switch (regex.type) {
    case 'one':
      return characterOf(regex).length
    case 'sequence':
      return regex.parts.reduce((sum, part) => sum + lengthOf(part, extra), 0)
    case 'choice':
      return lengthOf(regex.parts[0]!, extra)
    case 'repeat': {
      const times = timesOf(regex, extra)
      return times === 0 ? 0 : times * lengthOf(regex.part, extra)
    }
    default:
      return 0
  }
}

function write(regex: Regex, extra: number): string {
  switch (regex.type) {
    case 'one':
      return characterOf(regex)
    case 'sequence':
      return regex.parts.map((part) => write(part, extra)).join('')
    case 'choice':
      return write(regex.parts[0]!, extra)
    case 'repeat':
      return write(regex.part, extra).repeat(timesOf(regex, extra))
    default:
      return ''
  }
}

function timesOf({ min, max }: { min: number; max: number }, extra: number): number {
  return max === 1 ? min : Math.min(min + extra, max)
}

const candidates = ['a', 'A', '0', '1', ' ', '-', '_', '.', '!', '\n', '\t']

function characterOf({ source, matches }: { source: string; matches: (character: string) => boolean }): string {
  if (source === '.') return 'a'
  const found = [...candidates, ...source, ...rangeEnds(source)].find(matches)
  if (found === undefined) throw new RegexError('no character was found for a set of the pattern')
  return found
}

/** The characters that the escapes of a set name, such as `\u00e9`. */
function rangeEnds(source: string): string[] {
  return [...source.matchAll(/\\(?:u\{([\da-f]+)\}|u([\da-f]{4})|x([\da-f]{2}))/gi)].map(([, ...codes]) =>
    String.fromCodePoint(
      Number.parseInt(
        codes.find((code) => code !== undefined)!,
        16,
      ),
    ),
  )
}
