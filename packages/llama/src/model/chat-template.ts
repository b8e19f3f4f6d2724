import { createContext, Script } from 'node:vm'
import type { Template } from '@huggingface/jinja'
import { apiError } from 'colloquy/protocol'

const call = new Script('work()')

/** The chat template of a model. A file may have any program in it, so the time that it takes is limited. */
export class ChatTemplate {
  readonly #template: Pick<Template, 'render'>
  readonly #mostMs: number
  readonly #sandbox: { work?: () => string } = {}
  readonly #context = createContext(this.#sandbox)

  /** @param mostMs the most time for one prompt, in milliseconds. A thousand messages take less than a tenth of the default. */
  constructor(template: Pick<Template, 'render'>, mostMs = 2_000) {
    this.#template = template
    this.#mostMs = mostMs
  }

  /** The prompt. Throws what the template throws, and an `invalid_request_error` if it takes too long. */
  render(values: Record<string, unknown>): string {
    this.#sandbox.work = () => this.#template.render(values)
    const before = process.cpuUsage()
    for (;;) {
      try {
        // The limit also holds for the functions of this context that the script calls.
        return call.runInContext(this.#context, { timeout: this.#mostMs }) as string
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
        const { user, system } = process.cpuUsage(before)
        // A machine that is busy, or was asleep, has not worked on the template for that long.
        if ((user + system) / 1000 < this.#mostMs / 2) continue
        throw apiError(
          'invalid_request_error',
          `messages: the model's chat template takes longer than ${this.#mostMs} ms for them.`,
        )
      }
    }
  }
}
