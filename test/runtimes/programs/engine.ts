import { type Engine, type EngineContext, offline, script } from 'colloquy/engines'
import type { MessageCreateParams, MessageStreamEvent, PingEvent } from 'colloquy/protocol'

/** The key that the servers accept. */
export const key = 'sk-runtimes'

/**
 * The offline engine with faults on demand. The first message begins with one of these words, followed by a name that is unique
 * to the caller, so that parallel callers do not affect each other.
 *
 * - `Slowly`: 50 words a second.
 * - `Overloaded`: an error before the first event, only the first time.
 * - `Break`: the connection is reset after the fourth event.
 * - `Stall`: silence after the fourth event.
 * - `Left`: answers `yes` once the caller of another message, quoted after the name, has disconnected.
 */
export function engine(): Engine {
  const quick = offline()
  const slow = offline({ wordsPerSecond: 50 })
  // Wait between the events, because a reset also discards unsent bytes.
  const part = { times: Infinity, after: 4, eventDelayMs: 5 }
  const breaking = script([{ ...part, reply: 'This reply breaks off in the middle.', cut: 'reset' }])
  const stalling = script([{ ...part, reply: 'This reply falls silent.', stall: true }])
  const overloaded = script([
    { times: Infinity, error: { type: 'overloaded_error', headers: { 'retry-after-ms': '1' } } },
  ])
  const failed = new Set<string>()
  const left = new Set<string>()

  async function* answer(
    params: MessageCreateParams,
    context: EngineContext = {},
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const text = firstTextOf(params)
    context.signal?.addEventListener('abort', () => left.add(text), { once: true })
    const [word] = text.split(' ', 1)
    if (word === 'Left') {
      yield* script([left.has(text.slice('Left '.length)) ? 'yes' : 'no'])(params, context)
    } else if (word === 'Overloaded' && !failed.has(text)) {
      failed.add(text)
      yield* overloaded(params, context)
    } else if (word === 'Break') yield* breaking(params, context)
    else if (word === 'Stall') yield* stalling(params, context)
    else yield* (word === 'Slowly' ? slow : quick)(params, context)
  }

  return Object.assign(answer, { countTokens: quick.countTokens! })
}

function firstTextOf({ messages: [first] }: MessageCreateParams): string {
  return typeof first?.content === 'string' ? first.content : ''
}
