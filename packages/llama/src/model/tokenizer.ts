import { setImmediate } from 'node:timers/promises'
import type { RawModel, Token } from './runtime.ts'

/** Texts below this length are not kept: making their tokens again costs as little as finding them. */
const minKeptLength = 256
const maxKept = 256
/** The most characters of all kept texts. */
const maxKeptLength = 16 * 1024 * 1024

/** A text is made into tokens in pieces of this length, about 5 ms each, so that other work of the process is not held up. */
const pieceLength = 16_000

/** Makes the tokens of texts and keeps those of long texts, since each turn of a conversation sends its history again. */
export class Tokenizer {
  readonly #raw: RawModel
  /** Whether the tokenizer writes a space before each text, which is wrong in the middle of a prompt. */
  readonly #addsSpace: boolean
  /** Kept texts, the one that was used last at the end. */
  readonly #kept = new Map<string, readonly Token[]>()
  #keptLength = 0

  constructor(raw: RawModel) {
    this.#raw = raw
    const facts = raw.fileInfo.metadata['tokenizer']?.['ggml'] as
      | { model?: string; add_space_prefix?: boolean }
      | undefined
    this.#addsSpace = facts?.model === 'llama' && facts.add_space_prefix !== false
  }

  /** The tokens of a text within a prompt, in which nothing is special: `<|im_end|>` that a user typed stays text. */
  async text(text: string): Promise<readonly Token[]> {
    const kept = this.#kept.get(text)
    const tokens = kept ?? (await this.#tokens(text))
    if (kept !== undefined || text.length >= minKeptLength) this.keep(text, tokens)
    return tokens
  }

  /** The tokens of a part of a chat template, with its control tokens. `isFirst` if the prompt begins with the part. */
  template(text: string, isFirst: boolean): readonly Token[] {
    return isFirst ? this.#raw.tokenize(text, true) : this.#continued(text, true)
  }

  /** Keeps the tokens of a text. The tokens of a sampled reply may differ from those that its text gives. */
  keep(text: string, tokens: readonly Token[]): void {
    if (!this.#kept.delete(text)) this.#keptLength += text.length
    this.#kept.set(text, tokens)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxKept && this.#keptLength <= maxKeptLength) return
      this.#kept.delete(oldest)
      this.#keptLength -= oldest.length
    }
  }

  async #tokens(text: string): Promise<readonly Token[]> {
    const tokens: Token[] = []
    for (const piece of piecesOf(text)) {
      if (tokens.length > 0) await setImmediate()
      for (const token of this.#continued(piece, false)) tokens.push(token)
    }
    return tokens
  }

  /** The tokens of a text that follows other text: those after a line feed, which are the same without the space. */
  #continued(text: string, hasControl: boolean): readonly Token[] {
    if (!this.#addsSpace || text === '') return this.#raw.tokenize(text, hasControl)
    const before = this.#raw.tokenize('\n', hasControl)
    const tokens = this.#raw.tokenize(`\n${text}`, hasControl)
    const isApart = before.every((token, place) => tokens[place] === token)
    return isApart ? tokens.slice(before.length) : this.#raw.tokenize(text, hasControl)
  }
}

/**
 * Cuts a long text before the space between two words. Tokenizers do not join words, so the tokens are the same as those of
 * the whole text. A text without such a place is not cut.
 */
export function* piecesOf(text: string): Generator<string> {
  let start = 0
  const betweenWords = /(?<=[a-z]) (?=[a-z])/giu
  while (text.length - start > pieceLength) {
    betweenWords.lastIndex = start + pieceLength
    const cut = betweenWords.exec(text)
    if (cut === null) break
    yield text.slice(start, cut.index)
    start = cut.index
  }
  yield text.slice(start)
}
