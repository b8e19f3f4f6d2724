/** Calls back after a time without a restart. One timer serves a whole stream: Node restarts one in place. */
export class SilenceTimer {
  readonly #ms: number
  readonly #callback: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(ms: number, callback: () => void) {
    this.#ms = ms
    this.#callback = callback
  }

  restart(): void {
    const timer = this.#timer as { refresh?: () => void } | undefined
    // Other runtimes have numbers for timers.
    if (timer?.refresh) return timer.refresh()
    this.stop()
    this.#timer = setTimeout(this.#callback, this.#ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
