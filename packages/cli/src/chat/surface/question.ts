import { editable } from '../../editor/state.ts'
import { oneLine } from '../../format.ts'
import type { Key } from '../../terminal/input/keys.ts'
import type { Painter } from '../../terminal/style.ts'
import { cutTo, graphemes, widthOf } from '../../terminal/width.ts'

/** An answer to a question, and the letter that gives it. */
export interface Answer {
  key: string
  text: string
}

/** The most typed characters that are shown. */
const maxTyped = 20

/** A question that a letter and Enter answer, so that a message that is being typed does not answer it. It is shown in place of the editor. */
export class Question {
  readonly #text: string
  readonly #answers: readonly Answer[]
  readonly #onChange: () => void
  readonly #pick = Promise.withResolvers<string | undefined>()
  #typed = ''

  constructor(text: string, answers: readonly Answer[], onChange: () => void) {
    this.#text = text
    this.#answers = answers
    this.#onChange = onChange
  }

  /** The letter of the answer; undefined if the user left the question. */
  get picked(): Promise<string | undefined> {
    return this.#pick.promise
  }

  cancel(): void {
    this.#pick.resolve(undefined)
  }

  key({ name, text, ctrl }: Key): void {
    if (isLeaving(name, ctrl)) return this.cancel()
    const answer = this.#answers.find(({ key }) => key === this.#typed.trim().toLowerCase())
    if (name === 'enter' && answer !== undefined) return this.#pick.resolve(answer.key)
    if (name === 'text') this.#typed += text
    else this.#typed = name === 'backspace' ? this.#typed.slice(0, -1) : ''
    this.#onChange()
  }

  /** The line of the question with what is typed, and the column of the cursor behind it. */
  view(columns: number, _rows: number, paint: Painter): { lines: string[]; column: number } {
    const typed = ` ${cutTo(this.#typed, maxTyped)}`
    const question = cutTo(this.#text, columns - 1 - widthOf(typed))
    const keys = [...this.#answers.map(({ key, text }) => `${key} ${text}`), 'Enter answers', 'Esc stops'].join(' · ')
    return {
      lines: [paint(question, { bold: true }) + typed, paint(cutTo(keys, columns - 1), { dim: true })],
      column: widthOf(question) + widthOf(typed),
    }
  }
}

/** A question that a line of text and Enter answer. It is shown in place of the editor. */
export class TextQuestion {
  readonly #text: string
  readonly #onChange: () => void
  readonly #pick = Promise.withResolvers<string | undefined>()
  #typed = ''

  constructor(text: string, onChange: () => void) {
    this.#text = text
    this.#onChange = onChange
  }

  /** The text; undefined if the user left the question. */
  get picked(): Promise<string | undefined> {
    return this.#pick.promise
  }

  cancel(): void {
    this.#pick.resolve(undefined)
  }

  key({ name, text, ctrl }: Key): void {
    if (isLeaving(name, ctrl)) return this.cancel()
    if (name === 'enter') return this.#pick.resolve(this.#typed)
    if (name === 'text') this.#typed += editable(text)
    else if (name === 'paste') this.#typed += oneLine(editable(text))
    else if (name === 'backspace') this.#typed = [...graphemes(this.#typed)].slice(0, -1).join('')
    else if (ctrl && name === 'u') this.#typed = ''
    this.#onChange()
  }

  /** The line of the question with the end of what is typed, and the column of the cursor behind it. */
  view(columns: number, _rows: number, paint: Painter): { lines: string[]; column: number } {
    const question = cutTo(this.#text, Math.floor(columns / 2))
    const typed = ` ${endOf(this.#typed, columns - 2 - widthOf(question))}`
    return {
      lines: [
        paint(question, { bold: true }) + typed,
        paint(cutTo('Enter answers · Esc cancels', columns - 1), { dim: true }),
      ],
      column: widthOf(question) + widthOf(typed),
    }
  }
}

/** The end of the text that fits into the columns. */
function endOf(text: string, columns: number): string {
  let end = ''
  for (const cluster of [...graphemes(text)].toReversed()) {
    if (widthOf(cluster + end) > columns) break
    end = cluster + end
  }
  return end
}

function isLeaving(name: string, ctrl: boolean): boolean {
  return name === 'escape' || (ctrl && /^[cdg]$/.test(name))
}
