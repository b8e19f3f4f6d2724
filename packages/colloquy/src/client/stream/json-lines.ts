import { AnthropicError } from '../../protocol/types/error.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { connectionError } from '../transport/connection-error.ts'
import { IdleWatch } from './idle-watch.ts'
import type { Call } from '../request/retry.ts'
import type { Reply } from '../transport/transport.ts'

/** The values of a JSON Lines body as they arrive. Leaving early, an abort or a long silence closes the connection. */
export async function* jsonLines<Item>(call: Call, reply: Reply, url: string): AsyncGenerator<Item> {
  const watch = new IdleWatch(call.patience.idleTimeout, call.endsAt, (error) => reply.cancel(error))
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  try {
    while (true) {
      watch.waits()
      const chunk = await readFrom(reply, url)
      watch.received()
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
    call.settle()
    reply.cancel(new Error('The results are not read on'))
  }
}

async function readFrom(reply: Reply, url: string): Promise<Uint8Array | undefined> {
  try {
    return await reply.read()
  } catch (error) {
    throw connectionError(url, error)
  }
}

function parseLine<Item>(line: string, number: number, url: string): Item {
  try {
    return parseJson(line) as Item
  } catch (cause) {
    throw new AnthropicError(`Cannot read line ${number} of ${url} as JSON: found ${line.slice(0, 60)}`, { cause })
  }
}
