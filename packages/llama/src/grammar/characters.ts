import { choice, codeOf, literal } from './rules.ts'

/** A set of characters: the first and the last number of each range. */
export type Characters = readonly (readonly [first: number, last: number])[]

const lastCode = 0x10_ffff

/** The characters that a JSON string has as they are. Surrogates are halves of characters. */
const plain: Characters = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x7e],
  [0x80, 0xd7ff],
  [0xe000, lastCode],
]

/** The characters that a grammar writes with a backslash. The other control characters are left out. */
const escaped = ['"', '\\', '\n', '\r', '\t']

export function inverse(set: Characters): Characters {
  const ranges: [number, number][] = []
  let next = 0
  for (const [first, last] of set.toSorted(([a], [b]) => a - b)) {
    if (first > next) ranges.push([next, first - 1])
    next = Math.max(next, last + 1)
  }
  if (next <= lastCode) ranges.push([next, lastCode])
  return ranges
}

/** A rule for one of the characters, as a JSON string has it. Undefined if a grammar can write none of them. */
export function characterRule(set: Characters): string | undefined {
  const ranges = set.flatMap(([first, last]) =>
    plain
      .map(([low, high]): [number, number] => [Math.max(first, low), Math.min(last, high)])
      .filter(([low, high]) => low <= high),
  )
  const others = escaped.filter((sign) => set.some(([first, last]) => first <= codeAt(sign) && codeAt(sign) <= last))
  const rules = [
    ...(ranges.length > 0 ? [`[${ranges.map(rangeText).join('')}]`] : []),
    ...others.map((sign) => quoted(sign)),
  ]
  return rules.length === 0 ? undefined : choice(rules)
}

/** A character as it is written in JSON. */
export function quoted(sign: string): string {
  return literal(JSON.stringify(sign).slice(1, -1))
}

function rangeText([first, last]: readonly [number, number]): string {
  return first === last ? classText(first) : `${classText(first)}-${classText(last)}`
}

/** A character in a class. Letters and digits are the same there, other signs may mean something. */
function classText(code: number): string {
  const sign = String.fromCodePoint(code)
  return /[0-9A-Za-z]/.test(sign) ? sign : codeOf(sign)
}

function codeAt(sign: string): number {
  return sign.codePointAt(0)!
}
