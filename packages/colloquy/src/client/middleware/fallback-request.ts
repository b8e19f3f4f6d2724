import type { FallbackBlock, FallbackParam } from '../../protocol/types/beta/fallback.ts'
import type { APIRequest, MiddlewareContext, MiddlewareNext } from '../request/options.ts'

/** Options of `betaRefusalFallbackMiddleware()`. */
export interface RefusalFallbackOptions {
  /** Values of `anthropic-beta` that requests get. Default: the one that credit tokens need. */
  betas?: readonly string[] | undefined
  /** Told of refusals of a stream that no model answers, and of requests that failed. Default: logged as errors. */
  onError?: ((error: RefusalFallbackError) => void) | undefined
}

/** An error of a fallback request. */
export type RefusalFallbackError =
  | { kind: 'no_credit_token' | 'chain_exhausted'; message: string; event: unknown }
  | {
      kind: 'request_failed'
      message: string
      model: string
      /** Null if there was no response. */
      status: number | null
      /** The body of the response, or the error. */
      detail: unknown
    }

/** The fields of a request body that a fallback reads. */
export interface RequestBody {
  model?: string
  stream?: boolean
  messages?: Array<{ role: string; content: unknown }>
  fallbacks?: unknown
  thinking?: { type?: string } | null
  [field: string]: unknown
}

/** Sends requests to fallbacks. */
export interface Sender {
  next: MiddlewareNext
  context: MiddlewareContext
}

/** The parts of one message with fallbacks. */
export interface FallbackCall extends Sender {
  /** The request as the middleware received it, with the betas. */
  request: APIRequest
  /** The caller's body. */
  body: RequestBody
  fallbacks: readonly FallbackParam[]
  /** Remembers the fallback that answers from now on. */
  keep: (index: number) => void
  onError: (error: RefusalFallbackError) => void
}

/** The details of a refusal. */
export interface RefusalDetails {
  type?: string
  category?: string | null
  fallback_credit_token?: string | null
  fallback_has_prefill_claim?: boolean | null
}

/** The request with values of `anthropic-beta` added. */
export function withBetas(request: APIRequest, betas: readonly string[]): APIRequest {
  const headers = new Headers(request.headers)
  const given = headers.get('anthropic-beta')?.split(',') ?? []
  const values = new Set([...given.map((value) => value.trim()), ...betas])
  if (values.size > 0) headers.set('anthropic-beta', [...values].join(','))
  return { ...request, headers }
}

/** The body without `fallback` blocks of earlier replies, which the API takes only with its own fallbacks. */
export function withoutFallbackBlocks(body: RequestBody): RequestBody {
  const { messages } = body
  if (!messages?.some(({ content }) => hasFallback(content))) return body
  const kept = messages.flatMap((message) => {
    if (!hasFallback(message.content)) return message
    const content = message.content.filter((block) => !isFallback(block))
    // A message that is left empty would be refused.
    return content.length > 0 ? { ...message, content } : []
  })
  return { ...body, messages: kept }
}

function hasFallback(content: unknown): content is unknown[] {
  return Array.isArray(content) && content.some(isFallback)
}

function isFallback(block: unknown): boolean {
  return (block as { type?: unknown } | null)?.type === 'fallback'
}

/** The body of the caller with the changes of a fallback. Changes of `output_config` are made field by field. */
export function patched(body: RequestBody, { output_config, ...changes }: FallbackParam): RequestBody {
  const result = changed(body, changes)
  if (output_config === null) delete result['output_config']
  else if (output_config !== undefined) {
    const config = changed(result['output_config'] ?? {}, output_config)
    if (Object.keys(config).length > 0) result['output_config'] = config
    else delete result['output_config']
  }
  return changes.thinking === undefined ? withKnownThinking(result) : result
}

/** A copy with the fields of the changes: null removes a field, undefined changes nothing. */
export function changed(fields: object, changes: object): Record<string, unknown> {
  const result: Record<string, unknown> = { ...fields }
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete result[name]
    else if (value !== undefined) result[name] = value
  }
  return result
}

/** Few models think between tools only: a fallback is asked without thinking instead. */
export function withKnownThinking(body: RequestBody): RequestBody {
  return body.thinking?.type === 'between_tools' ? { ...body, thinking: { type: 'disabled' } } : body
}

/** The credit of a refusal. If it cannot be used, the request is answered at its own price and not refused. */
export function creditOf(token: string): { fallback_credit_token: { token: string; mode: 'best_effort' } } {
  return { fallback_credit_token: { token, mode: 'best_effort' } }
}

/**
 * Asks a fallback. A fast request whose speed the fallback did not ask for is sent once more without it when there is no
 * room for it: `isSlowed` then.
 */
export async function askFallback(
  { next, context }: Sender,
  fallback: FallbackParam,
  request: APIRequest,
  body: RequestBody,
): Promise<{ response: Response; isSlowed: boolean }> {
  const { speed, ...slow } = body
  const response = await next({ ...request, body: JSON.stringify(body) })
  const isFull = response.status === 429 || response.status === 529
  if (!isFull || fallback.speed !== undefined || speed !== 'fast') return { response, isSlowed: false }
  context.logger.info(`${fallback.model} has no room for a fast request (${response.status}): asked without speed`)
  await response.body?.cancel()
  return { response: await next({ ...request, body: JSON.stringify(slow) }), isSlowed: true }
}

/** The block that marks where another model begins. */
export function fallbackBlock(from: string, to: string, { category = null }: RefusalDetails): FallbackBlock {
  return { type: 'fallback', from: { model: from }, to: { model: to }, trigger: { type: 'refusal', category } }
}
