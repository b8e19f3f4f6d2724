/** A piece of a reply: what the model says, or what it thinks. */
export interface Piece {
  kind: 'text' | 'thinking'
  text: string
}

const open = '<think>'
const close = '</think>'

/**
 * Tells thinking from text where a server leaves both in the content: a reply may begin with `<think>…</think>`. Later tags
 * are text, since a reply may speak of them.
 *
 * @example
 * ```ts
 * import { ThinkTags } from 'colloquy/engines'
 *
 * const tags = new ThinkTags()
 * const pieces = [...tags.push('<think>Hm.</thi'), ...tags.push('nk>Hello.'), ...tags.end()]
 * console.log(pieces.map(({ kind, text }) => `${kind}: ${text}`).join(', ')) // thinking: Hm., text: Hello.
 * ```
 */
export class ThinkTags {
  #state: 'start' | 'thinking' | 'after' | 'text'
  #pending = ''
  /** White space before the first word is left out. */
  #isFirst = true

  /** @param isOpen whether the reply begins with thinking, as if after `<think>`. Default false. */
  constructor(isOpen = false) {
    this.#state = isOpen ? 'thinking' : 'start'
  }

  /** The pieces of text and thinking in a piece of the stream. */
  push(text: string): Piece[] {
    this.#pending += text
    const pieces: Piece[] = []
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) pieces.push(piece)
    return pieces.filter(({ text: each }) => each !== '')
  }

  /** The text that was held back, when no more will come. */
  end(): Piece[] {
    const rest: Piece = { kind: this.#state === 'thinking' ? 'thinking' : 'text', text: this.#pending }
    this.#pending = ''
    return rest.text === '' ? [] : [rest]
  }

  #next(): Piece | undefined {
    if (this.#pending === '') return undefined
    if (this.#state === 'start') return this.#begin()
    if (this.#state === 'thinking') return this.#think()
    if (this.#state === 'after') {
      this.#pending = this.#pending.trimStart()
      if (this.#pending !== '') this.#state = 'text'
    }
    return this.#take('text', this.#pending.length)
  }

  /** Decides by the first characters. White space before the tag is dropped. */
  #begin(): Piece | undefined {
    const trimmed = this.#pending.trimStart()
    if (trimmed.length < open.length && open.startsWith(trimmed)) return undefined
    if (!trimmed.startsWith(open)) {
      this.#state = 'text'
      return this.#take('text', this.#pending.length)
    }
    this.#state = 'thinking'
    this.#pending = trimmed.slice(open.length)
    return { kind: 'thinking', text: '' }
  }

  #think(): Piece | undefined {
    if (this.#isFirst) this.#pending = this.#pending.trimStart()
    if (this.#pending === '') return undefined
    this.#isFirst = false
    const end = this.#pending.indexOf(close)
    if (end >= 0) {
      const piece = this.#take('thinking', end)
      this.#pending = this.#pending.slice(close.length)
      this.#state = 'after'
      return piece
    }
    let held = Math.min(close.length - 1, this.#pending.length)
    while (!close.startsWith(this.#pending.slice(this.#pending.length - held))) held--
    return held === this.#pending.length ? undefined : this.#take('thinking', this.#pending.length - held)
  }

  #take(kind: Piece['kind'], length: number): Piece {
    const text = this.#pending.slice(0, length)
    this.#pending = this.#pending.slice(length)
    return { kind, text }
  }
}
