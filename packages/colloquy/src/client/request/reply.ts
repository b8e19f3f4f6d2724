import { APIError } from '../../protocol/types/error.ts'
import { APIResponseError } from './errors.ts'
import type { Call } from './retry.ts'
import type { Reply } from '../transport/transport.ts'

/** Makes a result of a reply, asking again where it breaks off. */
export type Parse<Result> = (call: Call, reply: Reply) => Promise<Result>

/** Bytes of a reply that is read whole, at most: the largest a message may be and some. */
const maxReplyBytes = 64 * 1024 * 1024

/** The whole body as text. */
export async function readBody(reply: Reply): Promise<string> {
  const first = await reply.read()
  if (first === undefined) return ''
  const decoder = new TextDecoder()
  let text = decoder.decode(first, { stream: true })
  let bytes = first.length
  for (let chunk = await reply.read(); chunk !== undefined; chunk = await reply.read()) {
    bytes += chunk.length
    if (bytes > maxReplyBytes) {
      const error = new APIResponseError(
        reply.status,
        undefined,
        `Cannot read a reply of more than ${maxReplyBytes} bytes`,
        reply.headers(),
      )
      reply.cancel(error)
      throw error
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** The JSON value of a reply, with the ids of the answer. Nothing was handed out before, so a break is retried. */
export async function readJson(call: Call, reply: Reply): Promise<unknown> {
  for (;;) {
    try {
      const value = await parseBody(await call.within(reply, readBody(reply)), reply)
      call.settle()
      return withIds(value, reply)
    } catch (error) {
      if (!(error instanceof APIError)) throw error
      reply = await call.again(error)
    }
  }
}

async function parseBody(text: string, reply: Reply): Promise<unknown> {
  if (reply.status === 204) return null
  if (text === '') return undefined
  try {
    if (!text.includes('_use"')) return JSON.parse(text)
  } catch {
    // Read below once more, which says what is wrong.
  }
  const { parseReply } = await import('./parse-reply.ts')
  try {
    return parseReply(text, reply)
  } catch (cause) {
    throw new APIResponseError(reply.status, undefined, (cause as Error).message, reply.headers(), { cause })
  }
}

/** A result and the answer that it came with. */
export interface WithResponse<Result> {
  data: Result
  response: Response
  request_id: string | null
  workspace_id: string | null
}

export function withResponse<Result>(data: Result, reply: Reply): WithResponse<Result> {
  return { data, response: reply.response(), ...idsOf(reply) }
}

/** Puts the answer's ids on a result where no loop over its fields and no JSON sees them. */
export function withIds<Value>(value: Value, reply: Reply): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { request_id, workspace_id } = idsOf(reply)
  return Object.defineProperties(value, { _request_id: { value: request_id }, _workspace_id: { value: workspace_id } })
}

function idsOf(reply: Reply): { request_id: string | null; workspace_id: string | null } {
  return { request_id: reply.header('request-id'), workspace_id: reply.header('anthropic-workspace-id') }
}
