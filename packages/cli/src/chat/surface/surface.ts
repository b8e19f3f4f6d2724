import type { MarkdownStream } from '../../markdown/markdown-stream.ts'
import type { Painter, Theme } from '../../terminal/style.ts'
import type { PickSource } from './picker.ts'
import type { Answer } from './question.ts'

/** The colours and the keys of the editor. */
export interface Look {
  theme?: Theme
  keys?: 'emacs' | 'vi'
}

/** Shows a chat: a terminal with a line editor, or plain lines. */
export interface Surface {
  readonly paint: Painter
  /** The width for text. */
  readonly columns: number
  /** Writes lines that stay. */
  print(...lines: string[]): void
  /** Starts to show a reply. `status` returns lines about its progress and is called for every frame. */
  begin(reply: MarkdownStream, status: () => string[]): void
  /** Tells that the reply or its status has changed. */
  touch(): void
  /** Shows the rest of the reply. */
  end(): void
  /** Puts text into the editor. */
  prefill(text: string): void
  /** Copies text to the system's clipboard. */
  copy(text: string): Promise<void>
  setLook(look: Look): void
  /** Asks a question: the letter of the answer, or undefined if the user leaves it or the signal aborts. */
  ask(text: string, answers: readonly Answer[], signal: AbortSignal | undefined): Promise<string | undefined>
  /** Asks for a line of text. Undefined likewise. */
  askText(text: string, signal: AbortSignal | undefined): Promise<string | undefined>
  /** Lets the user pick a row: its id, or undefined if none was picked. Absent if the surface cannot. */
  pick?(source: PickSource): Promise<string | undefined>
}
