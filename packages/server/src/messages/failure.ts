import { WireFault } from 'colloquy/engines'
import { APIError, APIUserAbortError } from 'colloquy/protocol'
import type { RequestLog } from '../operate/request-log.ts'
import { errorAnswer } from './error-answer.ts'
import type { Answer } from './exchange.ts'

/** The answer to a request that failed. Throws a fault that stands for a broken connection: the caller breaks it. */
export function failedAnswer(error: unknown, { log, signal }: { log: RequestLog; signal?: AbortSignal }): Answer {
  if (error instanceof WireFault) throw error
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
