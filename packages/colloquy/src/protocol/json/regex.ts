// A regular expression of a caller never runs in `RegExp`, whose time can grow exponentially. It is parsed here and matched in
// time that is linear in the text. Only its syntax, and sets of single characters, are left to `RegExp`.

/** The parts of a regular expression. */
export type Regex =
  | { type: 'one'; source: string; matches: (character: string) => boolean }
  | { type: 'start' | 'end' }
  | { type: 'sequence'; parts: Regex[] }
  | { type: 'choice'; parts: Regex[] }
  | { type: 'repeat'; part: Regex; min: number; max: number }

/** A pattern is not valid, or uses a feature that is not supported. */
export class RegexError extends Error {
  override name = 'RegexError'
}

const maxLength = 1_000

/** Parses a pattern with the flag `u`. Throws a `RegexError` for look-around, back references and word boundaries too. */
export function parseRegex(pattern: string): Regex {
  if (pattern.length > maxLength) throw new RegexError(`pattern is longer than ${maxLength} characters`)
  if (!isValid(pattern)) throw new RegexError('pattern is not a valid regular expression')
  return new Parser(pattern).parse()
}

function isValid(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').unicode
  } catch {
    return false
  }
}

/** Parses what `RegExp` has accepted. */
class Parser {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  parse(): Regex {
    return this.#choice()
  }

  #choice(): Regex {
    const parts = [this.#sequence()]
    while (this.#take(/\|/y)) parts.push(this.#sequence())
    return parts.length === 1 ? parts[0]! : { type: 'choice', parts }
  }

  #sequence(): Regex {
    const parts: Regex[] = []
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) {
      parts.push(this.#repeat(this.#atom()))
    }
    return { type: 'sequence', parts }
  }

  #atom(): Regex {
    if (this.#take(/\^/y)) return { type: 'start' }
    if (this.#take(/\$/y)) return { type: 'end' }
    if (this.#take(/\\[bB]/y)) throw new RegexError('word boundary')
    if (this.#take(/\\(?:[1-9]|k<)/y)) throw new RegexError('backreference')
    if (this.#take(/\(\?<?[=!]/y)) throw new RegexError('lookaround')
    if (this.#take(/\((?:\?:|\?<[^>]*>)?(?!\?)/y)) {
      const inner = this.#choice()
      this.#at++
      return inner
    }
    if (this.#take(/\(/y)) throw new RegexError('flags in a group')
    const set =
      this.#take(/\[(?:\\[^]|[^\\\]])*\]/y) ??
      this.#take(/\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|[^])/y) ??
      this.#take(/[^]/uy)!
    return oneOf(set)
  }

  #repeat(part: Regex): Regex {
    const sign = this.#take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y)
    if (sign === undefined) return part
    const [, least = '0', isRange, most] = /^\{(\d+)(,(\d*))?\}/.exec(sign) ?? [undefined, sign[0] === '+' ? '1' : '0']
    if (!sign.startsWith('{')) return { type: 'repeat', part, min: Number(least), max: sign[0] === '?' ? 1 : Infinity }
    const max = isRange === undefined ? Number(least) : most ? Number(most) : Infinity
    return { type: 'repeat', part, min: Number(least), max }
  }

  #take(expected: RegExp): string | undefined {
    expected.lastIndex = this.#at
    const found = expected.exec(this.#source)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }
}

function oneOf(source: string): Regex {
  const escaped = source === '/' ? '\\/' : source
  const set = new RegExp(`^${escaped}$`, 'u')
  return { type: 'one', source, matches: (character) => set.test(character) }
}

type Instruction =
  | { type: 'one'; matches: (character: string) => boolean }
  | { type: 'start' | 'end' | 'match' }
  | { type: 'split'; to: number[] }

const maxInstructions = 10_000
const maxSteps = 2_000_000

/** Whether the expression matches somewhere in the text. Throws a `RegexError` if it takes too many steps. */
export function testRegex(regex: Regex, text: string): boolean {
  const program = compile(regex)
  const characters = Array.from(text)
  // Each set of states is computed once for each character, however many ways lead to it.
  let states = new Set<number>()
  let steps = 0
  for (let at = 0; at <= characters.length; at++) {
    const place = { isStart: at === 0, isEnd: at === characters.length }
    addState(program, states, 0, place)
    const next = new Set<number>()
    for (const state of states) {
      const instruction = program[state]!
      if (instruction.type === 'match') return true
      if (instruction.type === 'one' && !place.isEnd && instruction.matches(characters[at]!)) next.add(state + 1)
    }
    steps += states.size + 1
    if (steps > maxSteps) throw new RegexError('pattern takes too many steps')
    states = new Set()
    const nextPlace = { isStart: false, isEnd: at + 1 === characters.length }
    for (const state of next) addState(program, states, state, nextPlace)
  }
  return false
}

/** Adds a state and those that it leads to without a character. */
function addState(
  program: readonly Instruction[],
  states: Set<number>,
  first: number,
  { isStart, isEnd }: { isStart: boolean; isEnd: boolean },
): void {
  const pending = [first]
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    if (states.has(state)) continue
    states.add(state)
    const instruction = program[state]!
    if (instruction.type === 'split') pending.push(...instruction.to)
    else if ((instruction.type === 'start' && isStart) || (instruction.type === 'end' && isEnd)) pending.push(state + 1)
  }
}

function compile(regex: Regex): Instruction[] {
  const program: Instruction[] = []
  emit(regex, program)
  program.push({ type: 'match' })
  return program
}

function emit(regex: Regex, program: Instruction[]): void {
  if (program.length > maxInstructions) throw new RegexError('pattern is too large')
  if (regex.type === 'sequence') for (const part of regex.parts) emit(part, program)
  else if (regex.type === 'choice') emitChoice(regex.parts, program)
  else if (regex.type === 'repeat') emitRepeat(regex, program)
  else program.push(regex)
}

function emitChoice(parts: readonly Regex[], program: Instruction[]): void {
  const start: { type: 'split'; to: number[] } = { type: 'split', to: [] }
  const ends: { type: 'split'; to: number[] }[] = []
  program.push(start)
  for (const part of parts) {
    start.to.push(program.length)
    emit(part, program)
    const end = { type: 'split' as const, to: [] }
    ends.push(end)
    program.push(end)
  }
  for (const end of ends) end.to.push(program.length)
}

function emitRepeat({ part, min, max }: { part: Regex; min: number; max: number }, program: Instruction[]): void {
  if (Math.max(min, max === Infinity ? 0 : max) > maxInstructions) throw new RegexError('pattern is too large')
  for (let count = 0; count < min; count++) emit(part, program)
  if (max === Infinity) {
    const loop = { type: 'split' as const, to: [program.length + 1] }
    const start = program.length
    program.push(loop)
    emit(part, program)
    program.push({ type: 'split', to: [start] })
    loop.to.push(program.length)
    return
  }
  const skips: { type: 'split'; to: number[] }[] = []
  for (let count = min; count < max; count++) {
    const skip = { type: 'split' as const, to: [program.length + 1] }
    skips.push(skip)
    program.push(skip)
    emit(part, program)
  }
  for (const skip of skips) skip.to.push(program.length)
}
