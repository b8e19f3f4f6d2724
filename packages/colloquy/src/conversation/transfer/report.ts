import type { GivenMetadata } from '../history/metadata.ts'
import type { ConversationSettings } from '../settings.ts'

/** The files that `import` can read. */
export type ImportFormat = 'colloquy' | 'claude-code' | 'messages' | 'chatgpt' | 'claude-ai' | 'ai-sdk' | 'langchain'

/** Options of `import()` and `importAll()`. Settings and metadata override those of the file. */
export interface ImportOptions extends Partial<ConversationSettings> {
  /** The user, team or tenant that the conversations belong to. An owner named in a file is ignored. Default none. */
  owner?: string
  /** As for `create()`. Default: the metadata of the file. */
  metadata?: GivenMetadata
  /** Settings for conversations whose file does not have them. Default none. */
  defaults?: Partial<ConversationSettings>
}

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

/** A conversation that `importAll()` added. */
export interface ImportedConversation {
  id: string
  title: string | undefined
  report: ImportReport
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

  get isEmpty(): boolean {
    return this.#notes.length === 0
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
