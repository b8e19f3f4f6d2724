import { APIConnectionError } from '../protocol/types/error.ts'

/** How a scripted connection ends: reset, or closed as after a complete response. */
export type WireEnd = 'reset' | 'close'

/**
 * A fault of the connection, for tests. An engine throws it to make the server break the connection instead of reporting an
 * error. In process it is an `APIConnectionError`.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { WireFault } from 'colloquy/engines'
 * import { createServer } from '@colloquy/server'
 * import { listen } from '@colloquy/server/node'
 *
 * const engine = async function* () {
 *   throw new WireFault('reset')
 * }
 * const { url, close } = await listen(createServer({ engine }), { port: 0 })
 * const client = new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 })
 * const messages = [{ role: 'user' as const, content: 'Hi' }]
 * const request = client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * console.log(await request.catch((error: Error) => error.name)) // APIConnectionError
 * await close()
 * ```
 */
export class WireFault extends APIConnectionError {
  override name = 'WireFault'
  readonly end: WireEnd
  /** Raw bytes to write before the end. */
  readonly bytes: Uint8Array | undefined

  constructor(end: WireEnd, bytes?: Uint8Array) {
    super({ message: end === 'reset' ? 'Connection reset.' : 'Connection closed before the message was complete.' })
    this.end = end
    this.bytes = bytes
  }
}
