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

  repaired(line: number, reason: string): void {
    this.#add({ line, kind: 'repaired', reason })
  }

  skipped(line: number, reason: string): void {
    this.#add({ line, kind: 'skipped', reason })
  }

  report(format: ImportFormat, messages: number): ImportReport {
    const notes = this.#notes.toSorted((a, b) => a.line - b.line)
    return { format, messages, notes, moreNotes: this.#more }
  }

  #add(note: ImportNote): void {
    if (this.#notes.length < maxNotes) this.#notes.push(note)
    else this.#more++
  }
}
