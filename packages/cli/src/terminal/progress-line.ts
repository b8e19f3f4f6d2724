import { safeLine } from './safe-text.ts'

const width = 24

/** A line on a terminal's standard error that shows how far a download is. In a pipe it shows nothing. */
export class ProgressLine {
  readonly #title: string
  readonly #isShown = process.stderr.isTTY
  #bar = ''
  #note = ''
  #shownAt = 0

  constructor(title: string) {
    this.#title = title
  }

  show(done: number, total: number | undefined): void {
    const share = total === undefined ? 0 : Math.min(1, done / total)
    const filled = Math.round(share * width)
    this.#bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${Math.floor(done / 1e6)}${total === undefined ? '' : ` of ${Math.round(total / 1e6)}`} MB`
    if (performance.now() - this.#shownAt > 100 || share === 1) this.#paint()
  }

  /** Something else that is in progress; empty if it has ended. */
  note(text: string): void {
    this.#note = text
    this.#paint()
  }

  end(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K')
  }

  #paint(): void {
    this.#shownAt = performance.now()
    if (!this.#isShown) return
    const text = [this.#title, this.#bar, this.#note].filter(Boolean).join('  ')
    process.stderr.write(`\r${safeLine(text).slice(0, (process.stderr.columns ?? 80) - 1)}\x1b[K`)
  }
}
