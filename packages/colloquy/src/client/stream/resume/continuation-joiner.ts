const anchorCharacters = 80

/** The end of a cut text, which the model is asked to repeat. */
export function anchorOf(words: string): string {
  return words.slice(-anchorCharacters).trimStart()
}

/** A shorter overlap is treated as coincidence, not as the requested repetition. */
const leastOverlapCharacters = 30

/**
 * Joins a continuation to the text that was handed out, so that no character appears twice. `push()` takes each piece of
 * the continuation and returns the part that is new.
 *
 * Two kinds of text may appear twice. One is white space at the end of the text: a prefill must not end with it, so it is
 * not sent, and the model may write its own. The other, with `asksToRepeat`, is the end of the text: the model is asked to
 * repeat it, because a repetition is easier to join than a start in the middle of a word.
 */
export class ContinuationJoiner {
  /** White space that was handed out after the last word. */
  readonly #space: string
  /** The text that the model was asked to repeat, until it is found or ruled out. */
  #anchor: string
  #buffered = ''
  #isJoined = false

  constructor(handedOut: string, { asksToRepeat = false }: { asksToRepeat?: boolean } = {}) {
    const words = handedOut.trimEnd()
    this.#space = handedOut.slice(words.length)
    this.#anchor = asksToRepeat ? anchorOf(words) : ''
  }

  push(piece: string): string {
    if (this.#isJoined) return piece
    this.#buffered += piece
    return this.#join('more may come')
  }

  /** The text that is still buffered when the continuation has ended. */
  end(): string {
    return this.#isJoined ? '' : this.#join('complete')
  }

  #join(state: TextState): string {
    if (this.#anchor !== '') {
      const text = this.#buffered.trimStart()
      const shared = overlap(this.#anchor, text, state)
      if (shared === undefined) return ''
      if (shared > 0) this.#buffered = text.slice(shared)
      this.#anchor = ''
    }
    const lead = /^\s*/.exec(this.#buffered)![0]
    const mayGrow = lead === this.#buffered && lead.length <= this.#space.length && this.#space !== ''
    if (mayGrow && state === 'more may come') return ''
    this.#isJoined = true
    // White space that differs from what was handed out stands for the same gap.
    return this.#buffered.slice(lead.startsWith(this.#space) ? this.#space.length : lead.length)
  }
}

type TextState = 'complete' | 'more may come'

/** The length of the longest end of `anchor` that `text` begins with. Undefined while more text could decide it. */
function overlap(anchor: string, text: string, state: TextState): number | undefined {
  const least = Math.min(leastOverlapCharacters, anchor.length)
  for (let length = anchor.length; length > text.length && state === 'more may come' && length >= least; length--) {
    if (anchor.startsWith(text, anchor.length - length)) return undefined
  }
  for (let length = Math.min(anchor.length, text.length); length >= least; length--) {
    if (text.startsWith(anchor.slice(-length))) return length
  }
  return 0
}
