import { type Engine, script } from 'colloquy/engines'

/** Replies with each text in turn. The first reply does not end until it is stopped. */
export function held(...texts: readonly string[]): Engine {
  const reply = script(texts)
  let count = 0
  return async function* replyOnce(params, context) {
    const isHeld = count++ === 0
    for await (const event of reply(params, context)) {
      if (isHeld && event.type === 'content_block_stop') await aborted(context?.signal)
      yield event
    }
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal?.reason)
    if (signal?.aborted) fail()
    signal?.addEventListener('abort', fail)
  })
}
