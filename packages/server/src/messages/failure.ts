import { WireFault } from 'colloquy/engines'
import { APIError, apiError, APIUserAbortError, AuthenticationError } from 'colloquy/protocol'
import type { RequestLog } from '../operate/request-log.ts'
import { errorAnswer } from './error-answer.ts'
import type { Answer } from './exchange.ts'
import { finalError } from './http-error.ts'

/** The answer to a request that failed. Throws a fault that stands for a broken connection: the caller breaks it. */
export function failedAnswer(error: unknown, { log, signal }: { log: RequestLog; signal?: AbortSignal }): Answer {
  if (error instanceof WireFault) throw error
  // The server ended the request, and told why.
  if (signal?.reason instanceof APIError) return failedAnswer(signal.reason, { log })
  log.failed(error)
  if (error instanceof APIUserAbortError || signal?.aborted) {
    log.clientLeft()
    return { status: 499, headers: {}, body: undefined }
  }
  if (error instanceof APIError && error.requestID) log.upstreamResponded(error.requestID)
  const { status, headers, body } = errorAnswer(error, log.responseId)
  const text = JSON.stringify(body)
  log.wrote(text.length)
  return { status, headers: Object.fromEntries(headers), body: text }
}

/**
 * The error for the client of a server whose upstream failed. An upstream that does not accept the key of the server is not
 * the client's mistake: its 401 would make the client ask the user for another key. The log has the upstream's error.
 */
export function upstreamError(error: unknown, log: RequestLog): unknown {
  // JSON that is nested too deep to be read.
  if (error instanceof RangeError) return badGateway('The upstream did not answer as the API does')
  if (!(error instanceof AuthenticationError)) return error
  log.failed(error)
  if (error.requestID) log.upstreamResponded(error.requestID)
  return badGateway('The upstream does not accept the key of this server')
}

function badGateway(message: string): APIError {
  return finalError(502, apiError('api_error', message))
}
