import { parseJson } from '../../../protocol/codec/parse-json.ts'
import { isToolInput } from '../../../protocol/sendable.ts'

/**
 * The arguments of a call, which arrive in pieces. Handles the forms of some servers: an empty object before the arguments,
 * all of them once more behind them, null for none, and JSON in a text of JSON.
 */
export class CallArguments {
  #json = ''
  #unwritten = ''
  #nesting = new Nesting()
  #hasMember = false

  get isEmpty(): boolean {
    return this.#json.trim() === ''
  }

  /** Whether an object has begun that no other form can replace. */
  get hasMember(): boolean {
    return this.#hasMember
  }

  /** Whether the object has ended. Parses only a text that may be one. */
  get isComplete(): boolean {
    if (this.#nesting.isOpen) return false
    try {
      return isToolInput(parseJson(this.#json))
    } catch {
      return false
    }
  }

  /** Whether the input can be sent again. `JSON.parse()` accepts values that are nested deeper than `JSON.stringify()` writes. */
  get canBeWritten(): boolean {
    try {
      JSON.stringify(JSON.parse(this.#json))
      return true
    } catch {
      return false
    }
  }

  push(piece: string): void {
    if (piece === '') return
    if (!this.#nesting.isOpen && this.isComplete) {
      if (!this.#hasMember && /^\s*\{/.test(piece)) this.#clear()
      else if (withoutWrapping(piece).trim() === this.#json.trim()) return
    }
    this.#add(piece)
  }

  /** Takes what a text of JSON contains, when no more will come. */
  unwrap(): void {
    if (this.#hasMember) return
    const text = withoutWrapping(this.#json)
    this.#clear()
    this.#add(text)
  }

  /** The text that was not taken before. */
  take(): string {
    const text = this.#unwritten
    this.#unwritten = ''
    return text
  }

  #clear(): void {
    this.#json = this.#unwritten = ''
    this.#nesting = new Nesting()
  }

  #add(piece: string): void {
    this.#json += piece
    this.#unwritten += piece
    this.#nesting.push(piece)
    this.#hasMember ||= /^\s*\{\s*[^\s}]/.test(this.#json)
  }
}

/** The arguments of a call as JSON: some servers send the object itself. */
export function argumentsText(given: unknown): string {
  return typeof given === 'string' ? given : given == null ? '' : JSON.stringify(given)
}

/** JSON without a text around it; empty for null. */
function withoutWrapping(json: string): string {
  if (!/^\s*(?:null\s*$|")/.test(json)) return json
  try {
    return argumentsText(JSON.parse(json))
  } catch {
    return json
  }
}

/** Follows whether a JSON text is inside an object, list or string, so that it is not parsed again at each piece. */
class Nesting {
  #depth = 0
  #isInString = false
  #isEscaped = false

  get isOpen(): boolean {
    return this.#depth > 0 || this.#isInString
  }

  push(piece: string): void {
    for (let index = 0; index < piece.length; index++) {
      const sign = piece[index]
      if (this.#isEscaped) this.#isEscaped = false
      else if (sign === '"') this.#isInString = !this.#isInString
      else if (this.#isInString) this.#isEscaped = sign === '\\'
      else if (sign === '{' || sign === '[') this.#depth++
      else if (sign === '}' || sign === ']') this.#depth--
    }
  }
}
