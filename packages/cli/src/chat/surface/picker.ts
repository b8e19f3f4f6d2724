import type { Key } from '../../terminal/input/keys.ts'
import type { Painter } from '../../terminal/style.ts'
import { cutTo, graphemes, widthOf } from '../../terminal/width.ts'

/** A row of a list to pick from. */
export interface PickRow {
  id: string
  line: string
}

/** The rows of a picker, and what can be done with them. */
export interface PickSource {
  /** The words before the filter. */
  prompt: string
  /** The row to begin at. Default: the first. */
  startId?: string | undefined
  /** The effects of Enter and Del, for the line about the keys. */
  verbs: { open: string; remove: string }
  /** The question before a row is deleted. */
  question: string
  /** The rows that match the words, the best first, and how many rows there are in all. */
  search(words: string): Promise<{ rows: PickRow[]; total: number }>
  /** The lines that show more of a row. */
  preview(id: string): Promise<string[]>
  /** Deletes a row. Throws if it cannot be deleted. */
  remove(id: string): Promise<void>
}

/** The most rows on the screen. */
const maxRows = 12

/** A list that typing filters. It is shown in place of the editor. */
export class Picker {
  /** The id of the row that was picked; undefined if none was. */
  readonly picked: Promise<string | undefined>
  readonly #source: PickSource
  readonly #onChange: () => void
  readonly #resolve: (id: string | undefined) => void
  #words = ''
  #rows: readonly PickRow[] = []
  #total = 0
  #chosen = 0
  /** Grows with each search, so that the results of an earlier one that arrive later are dropped. */
  #searches = 0
  #preview: readonly string[] | undefined
  #isAsking = false
  #note = ''

  constructor(source: PickSource, onChange: () => void) {
    this.#source = source
    this.#onChange = onChange
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    this.picked = promise
    this.#resolve = resolve
    void this.#search()
  }

  cancel(): void {
    this.#resolve(undefined)
  }

  key(key: Key): void {
    this.#note = ''
    if (this.#isAsking) this.#answer(key)
    else if (key.name === 'text' || key.name === 'paste') this.#filter(this.#words + key.text.replaceAll(/\s+/g, ' '))
    else this.#command(key)
    this.#onChange()
  }

  /** The lines of the list, and the column of the cursor in the first one. */
  view(columns: number, rows: number, paint: Painter): { lines: string[]; column: number } {
    const { prompt } = this.#source
    const dim = (line: string): string => paint(cutTo(line, columns - 1), { dim: true })
    const most = Math.max(1, Math.min(maxRows, rows - 4))
    const first = Math.max(0, Math.min(this.#chosen - most + 1, this.#rows.length - most))
    const list = this.#rows.slice(first, first + most).map(({ line }, index) => {
      const isChosen = first + index === this.#chosen
      return paint(cutTo(`${isChosen ? '›' : ' '} ${line}`, columns - 1), isChosen ? { inverse: true } : {})
    })
    const preview = (this.#preview ?? [])
      .slice(0, Math.max(0, rows - list.length - 4))
      .map((line) => dim(`    ${line}`))
    return {
      lines: [
        paint(prompt, { bold: true }) + cutTo(this.#words, columns - prompt.length - 1),
        ...list,
        ...preview,
        dim(this.#footer()),
      ],
      column: prompt.length + widthOf(this.#words),
    }
  }

  #footer(): string {
    const { question, verbs } = this.#source
    if (this.#isAsking) return question
    if (this.#note !== '') return this.#note
    const keys = `Enter ${verbs.open} · Tab previews · Del ${verbs.remove} · Esc leaves`
    return `${this.#rows.length} of ${this.#total} · ${keys}`
  }

  #command({ name, ctrl }: Key): void {
    if (name === 'escape' || (ctrl && /^[cdg]$/.test(name))) return this.#resolve(undefined)
    if (name === 'enter') return this.#open()
    if (name === 'up' || (ctrl && name === 'p')) return this.#choose(this.#chosen - 1)
    if (name === 'down' || (ctrl && name === 'n')) return this.#choose(this.#chosen + 1)
    if (name === 'pageup') return this.#choose(this.#chosen - maxRows)
    if (name === 'pagedown') return this.#choose(this.#chosen + maxRows)
    if (name === 'backspace') return this.#filter([...graphemes(this.#words)].slice(0, -1).join(''))
    if (ctrl && name === 'u') return this.#filter('')
    if (name === 'tab') return void this.#togglePreview()
    if (name === 'delete' && this.#rows.length > 0) this.#isAsking = true
  }

  #open(): void {
    const row = this.#rows[this.#chosen]
    if (row !== undefined) this.#resolve(row.id)
  }

  #choose(index: number): void {
    this.#chosen = Math.max(0, Math.min(index, this.#rows.length - 1))
    if (this.#preview !== undefined) void this.#showPreview()
  }

  #filter(words: string): void {
    this.#words = words
    this.#preview = undefined
    this.#chosen = 0
    void this.#search()
  }

  #answer({ name, text }: Key): void {
    this.#isAsking = false
    if (name === 'text' && text.toLowerCase() === 'y') void this.#remove()
  }

  async #search(): Promise<void> {
    const search = ++this.#searches
    try {
      const { rows, total } = await this.#source.search(this.#words.trim())
      if (search !== this.#searches) return
      this.#rows = rows
      this.#total = total
      const start = search === 1 ? rows.findIndex(({ id }) => id === this.#source.startId) : -1
      if (start >= 0) this.#chosen = start
      this.#chosen = Math.max(0, Math.min(this.#chosen, rows.length - 1))
    } catch (error) {
      this.#note = (error as Error).message
    }
    this.#onChange()
  }

  async #togglePreview(): Promise<void> {
    if (this.#preview === undefined) await this.#showPreview()
    else this.#preview = undefined
    this.#onChange()
  }

  async #showPreview(): Promise<void> {
    const row = this.#rows[this.#chosen]
    if (row === undefined) return
    const lines = await this.#source.preview(row.id).catch((error: unknown) => [(error as Error).message])
    if (this.#rows[this.#chosen] === row) this.#preview = lines
    this.#onChange()
  }

  async #remove(): Promise<void> {
    const row = this.#rows[this.#chosen]
    if (row === undefined) return
    try {
      await this.#source.remove(row.id)
      this.#preview = undefined
      await this.#search()
    } catch (error) {
      this.#note = (error as Error).message
      this.#onChange()
    }
  }
}
