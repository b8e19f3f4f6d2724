import type { MarkdownStream } from '../markdown/markdown-stream.ts'
import type { Painter } from '../terminal/style.ts'

/** Where a chat shows itself: a terminal with a line editor, or plain lines. */
export interface Surface {
  readonly paint: Painter
  /** How wide text may be. */
  readonly columns: number
  /** Writes lines that stay. */
  print(...lines: string[]): void
  /** Begins to show a reply; `status` are lines about it, asked for with every frame. */
  begin(reply: MarkdownStream, status: () => string[]): void
  /** Something of the reply has come. */
  touch(): void
  /** Shows the rest of the reply. */
  end(): void
  /** Puts a text where the user can change and send it. */
  prefill(text: string): void
  /** Passes a text to the system's clipboard. */
  copy(text: string): Promise<void>
}
