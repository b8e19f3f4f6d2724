const anchorCharacters = 80

/** The end of a cut text, as a continuation is asked to repeat it. */
export function anchorOf(words: string): string {
  return words.slice(-anchorCharacters).trimStart()
}

/** A model that repeats less than it was asked to may well write the same words again: below this, that is taken for so. */
const leastOverlapCharacters = 30

/**
 * Joins a continuation to the text that was handed out, so that no character comes twice. It is told the handed-out text;
 * each piece of the continuation goes in, and what of it is new comes out.
 *
 * Two things may come twice. White space at the end of the text: it cannot be sent as the end of a prefill, so the model may
 * write its own. And, where the continuation was asked for by a message (`repeats`), the end of the text, which the model is
 * asked to repeat because it joins better than a start in the middle of a word.
 */
export class Joint {
  /** White space that was handed out after the last word. */
  readonly #space: string
  #end: string
  #held = ''
  #isJoined = false

  constructor(handedOut: string, repeats: boolean) {
    const words = handedOut.trimEnd()
    this.#space = handedOut.slice(words.length)
    this.#end = repeats ? anchorOf(words) : ''
  }

  push(piece: string): string {
    if (this.#isJoined) return piece
    this.#held += piece
    return this.#join(false)
  }

  /** What was held back when no more text comes. */
  end(): string {
    return this.#isJoined ? '' : this.#join(true)
  }

  #join(isWhole: boolean): string {
    if (this.#end !== '') {
      const text = this.#held.trimStart()
      const shared = overlap(this.#end, text, isWhole)
      if (shared === undefined) return ''
      if (shared > 0) this.#held = text.slice(shared)
      this.#end = ''
    }
    const lead = /^\s*/.exec(this.#held)![0]
    const mayGoOn = lead === this.#held && lead.length <= this.#space.length && this.#space !== ''
    if (mayGoOn && !isWhole) return ''
    this.#isJoined = true
    // Other white space than was handed out stands for the same gap.
    return this.#held.slice(lead.startsWith(this.#space) ? this.#space.length : lead.length)
  }
}

/** How many characters `text` begins with that `end` ends with; undefined while more text could tell. */
function overlap(end: string, text: string, isWhole: boolean): number | undefined {
  const least = Math.min(leastOverlapCharacters, end.length)
  for (let length = end.length; length > text.length && !isWhole && length >= least; length--) {
    if (end.startsWith(text, end.length - length)) return undefined
  }
  for (let length = Math.min(end.length, text.length); length >= least; length--) {
    if (text.startsWith(end.slice(-length))) return length
  }
  return 0
}
