/** The files that `import` can read. */
export type ImportFormat =
  | 'colloquy'
  | 'claude-code'
  | 'messages'
  | 'chatgpt'
  | 'claude-ai'
  | 'librechat'
  | 'open-webui'
  | 'ai-sdk'
  | 'langchain'
  | 'chat-completions'
  | 'llm'

/** The result of an import: the format of the file, and the changes that were needed so that the API accepts the history. */
export interface ImportReport {
  format: ImportFormat
  /** Messages read, in all branches. */
  messages: number
  /** The first 1,000 changes, in the order of the file. */
  notes: ImportNote[]
  /** Changes beyond the first 1,000. */
  moreNotes: number
}

/** A line of an imported file that was repaired or skipped. */
export interface ImportNote {
  /** The line of the file, from 1. */
  line: number
  /** `repaired`: the message was imported and goes out changed. `skipped`: it was not imported, or never goes out. */
  kind: 'repaired' | 'skipped'
  reason: string
}

const maxNotes = 1_000

/** Collects the notes of an import. */
export class ImportNotes {
  readonly #notes: ImportNote[] = []
  #more = 0

  /** The line with this number, from 1. */
  at(number: number): SourceLine {
    const add = (note: Omit<ImportNote, 'line'>): void => {
      if (this.#notes.length < maxNotes) this.#notes.push({ line: number, ...note })
      else this.#more++
    }
    return {
      number,
      repaired: (reason) => add({ kind: 'repaired', reason }),
      skipped: (reason) => add({ kind: 'skipped', reason }),
    }
  }

  /** The items, each with its line in place of the number of the line. */
  on<Item extends { line: number }>(items: readonly Item[]): Noted<Item>[] {
    return items.map((item) => ({ ...item, line: this.at(item.line) }))
  }

  report(format: ImportFormat, messages: number): ImportReport {
    const notes = this.#notes.toSorted((a, b) => a.line - b.line)
    return { format, messages, notes, moreNotes: this.#more }
  }
}

/** A line of the file, or the one at which a part of it begins. It takes the notes on that part. */
export interface SourceLine {
  /** From 1. */
  readonly number: number
  repaired(reason: string): void
  skipped(reason: string): void
}

export type Noted<Item> = Omit<Item, 'line'> & { line: SourceLine }
