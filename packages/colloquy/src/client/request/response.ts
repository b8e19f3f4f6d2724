import { isObject } from '../../protocol/json/json-object.ts'
import type { TransportResponse } from '../transport/transport.ts'
import { uncommonParts } from './prepare.ts'

/** The most bytes of a response that is read at once: more than the largest message. */
const maxBodyBytes = 64 * 1024 * 1024

/** The whole body as text. Decoded at the end: V8 keeps the memory of strings that it has freed, and returns that of bytes. */
export async function readBody(response: TransportResponse): Promise<string> {
  const chunks = []
  let bytes = 0
  for (let chunk = await response.read(); chunk; chunk = await response.read()) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) throw (await uncommonParts()).tooLong(response, maxBodyBytes)
    chunks.push(chunk)
  }
  const decoder = new TextDecoder()
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode()
}

/** The JSON value of a body; undefined if it is empty. A promise if the value takes code that is loaded on demand. */
export function parseBody(text: string, response: TransportResponse): unknown {
  try {
    // The input of a tool may have any keys, some of which V8 misreads.
    if (!text.includes('_use"')) return JSON.parse(text)
  } catch {
    // Read again below, which says what is wrong.
  }
  return uncommonParts().then(({ readValue }) => readValue(text, response))
}

/** A result and the response that it came with. */
export interface WithResponse<Result> {
  data: Result
  response: Response
  request_id: string | null
  workspace_id: string | null
}

/** Puts the response's ids on a result, as properties that are not enumerable. */
export function withIds<Value>(value: Value, response: TransportResponse): Value {
  if (!isObject(value)) return value
  const { request_id, workspace_id } = idsOf(response)
  // `defineProperties()` takes four times as long: 2 % of a short request.
  Object.defineProperty(value, '_request_id', { value: request_id })
  return Object.defineProperty(value, '_workspace_id', { value: workspace_id })
}

export function withResponse<Result>(data: Result, response: TransportResponse): WithResponse<Result> {
  return { data, response: response.response(), ...idsOf(response) }
}

function idsOf(response: TransportResponse): { request_id: string | null; workspace_id: string | null } {
  return { request_id: response.header('request-id'), workspace_id: response.header('anthropic-workspace-id') }
}
