import { AnthropicError } from '../../protocol/types/error.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import type { RetryingRequest } from '../request/retrying-request.ts'
import { IdleWatch } from '../stream/idle-watch.ts'
import type { TransportResponse } from '../transport/transport.ts'

/** The values of a JSON Lines body as they arrive. Leaving early, an abort or a long silence closes the connection. */
export async function* jsonLines<Item>(
  request: RetryingRequest,
  response: TransportResponse,
  url: string,
): AsyncGenerator<Item> {
  const watch = new IdleWatch(request.policy.idleTimeout, request.endsAt, (error) => response.cancel(error))
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  try {
    while (true) {
      watch.startWaiting()
      const chunk = await response.read()
      watch.stopWaiting()
      const lines = (rest + (chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode())).split('\n')
      rest = chunk ? lines.pop()! : ''
      for (const line of lines) {
        number++
        if (line.trim()) yield parseLine(line, number, url)
      }
      if (!chunk) return
    }
  } finally {
    watch.stop()
    request.finish()
    response.cancel(new Error('The caller left the results early'))
  }
}

function parseLine<Item>(line: string, number: number, url: string): Item {
  try {
    return parseJson(line) as Item
  } catch (cause) {
    throw new AnthropicError(`Cannot read line ${number} of ${url} as JSON: found ${line.slice(0, 60)}`, { cause })
  }
}
