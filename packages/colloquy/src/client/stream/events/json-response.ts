import { APIResponseError } from '../../request/errors.ts'
import { readValue, wrongResult } from '../../request/on-demand/rare-bodies.ts'
import type { RetryingRequest } from '../../request/retrying-request.ts'
import type { TransportResponse } from '../../transport/transport.ts'

/** Whether a response is JSON where events were requested: gateways report errors so. */
export function isJson(response: TransportResponse): boolean {
  return response.header('content-type')?.includes('json') === true
}

/** Throws the error that a JSON response reports, or one that says that it is not a stream. */
export async function refuseJson(response: TransportResponse, request: RetryingRequest): Promise<never> {
  const value = readValue(await request.readText(response), response)
  const message = 'Cannot read the response as a stream of events: it is JSON'
  throw wrongResult(value, response) ?? new APIResponseError(response.status, undefined, message, response.headers())
}
