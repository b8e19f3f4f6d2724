import type { LoadedModel } from './loaded-model.ts'

/** The longest time that a timer of Node takes. Milliseconds: 25 days. */
const longestTimer = 2 ** 31 - 1

/** The model of an engine. It is loaded when it is needed, and unloaded when no request has needed it for some time. */
export class ResidentModel {
  readonly #load: () => Promise<LoadedModel>
  readonly #idleMs: number
  #loading: Promise<LoadedModel> | undefined
  #idle: ReturnType<typeof setTimeout> | undefined
  #inFlight = 0

  /** @param idleMs milliseconds; 0 keeps the model. */
  constructor(load: () => Promise<LoadedModel>, idleMs = 600_000) {
    this.#load = load
    this.#idleMs = idleMs
  }

  loaded(): Promise<LoadedModel> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  /** A request begins. The model stays until `end()`. */
  begin(): void {
    clearTimeout(this.#idle)
    this.#inFlight++
  }

  end(): void {
    this.#inFlight--
    if (this.#inFlight > 0 || this.#idleMs === 0) return
    this.#idle = setTimeout(() => void this.close(), Math.min(this.#idleMs, longestTimer))
    this.#idle.unref()
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const loading = this.#loading
    this.#loading = undefined
    const model = await loading?.catch(() => undefined)
    await model?.dispose()
  }
}
