import { safeLine } from './safe-text.ts'

const width = 24

/** Receives how far a download is. */
export interface Progress {
  show(done: number, total: number | undefined): void
  /** Something else that is in progress; empty if it has ended. */
  note(text: string): void
  end(): void
}

/** The state of a download as a line of text. */
export class ProgressText implements Progress {
  readonly #title: string
  readonly #onChange: (line: string, isComplete: boolean) => void
  #bar = ''
  #note = ''
  #isEnded = false

  constructor(title: string, onChange: (line: string, isComplete: boolean) => void) {
    this.#title = title
    this.#onChange = onChange
  }

  show(done: number, total: number | undefined): void {
    const share = total === undefined ? 0 : Math.min(1, done / total)
    const filled = Math.round(share * width)
    const size = total === undefined ? '' : ` of ${Math.round(total / 1e6)}`
    this.#bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${Math.floor(done / 1e6)}${size} MB`
    this.#change(share === 1)
  }

  note(text: string): void {
    this.#note = text
    this.#change(true)
  }

  end(): void {
    this.#isEnded = true
    this.#onChange('', true)
  }

  #change(isComplete: boolean): void {
    // Work that was aborted may still report.
    if (this.#isEnded) return
    this.#onChange([this.#title, this.#bar, this.#note].filter(Boolean).join('  '), isComplete)
  }
}

/** A line on standard error that shows how far a download is: repainted on a terminal, else written every few seconds. */
export function progressLine(title: string): Progress {
  const { stderr } = process
  const intervalMs = stderr.isTTY ? 100 : 5_000
  let shownAt = stderr.isTTY ? 0 : performance.now()
  return new ProgressText(title, (line, isComplete) => {
    if (!(isComplete && stderr.isTTY) && performance.now() - shownAt < intervalMs) return
    shownAt = performance.now()
    if (stderr.isTTY) stderr.write(`\r${safeLine(line).slice(0, (stderr.columns ?? 80) - 1)}\x1b[K`)
    else if (line !== '') stderr.write(`${safeLine(line)}\n`)
  })
}
