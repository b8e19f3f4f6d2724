// Loaded with the first message that has fallbacks.
import { AnthropicError } from '../../protocol/types/error.ts'
import type { FallbackBlock } from '../../protocol/types/beta/fallback.ts'
import type { Message } from '../../protocol/types/message.ts'
import {
  askFallback,
  creditOf,
  fallbackBlock,
  patched,
  withBetas,
  withoutFallbackBlocks,
  type FallbackCall,
  type RefusalDetails,
  type RefusalFallbackOptions,
  type RequestBody,
  type Sender,
} from './fallback-request.ts'
import { fallbackStream } from './fallback-stream.ts'

/** Required for the tokens that pay for the refused part of a reply. */
const creditBeta = 'fallback-credit-2026-07-01'

interface Parts extends Omit<FallbackCall, 'body' | 'keep' | 'onError'> {
  options: RefusalFallbackOptions
  /** Whether the missing state was told already. */
  memory: { hasWarned: boolean }
}

/** Sends a message, and asks the fallbacks while models refuse. */
export async function answerRefusals({ request, next, context, fallbacks, options, memory }: Parts): Promise<Response> {
  const { body: requested, fallbackState: state } = context.options ?? {}
  const given = requested as RequestBody
  if (given.fallbacks != null) {
    throw new AnthropicError('Cannot use both the fallbacks of the API and those of a middleware: remove one of them')
  }
  const first = state?.index ?? -1
  if (!Number.isInteger(first) || first < -1 || first >= fallbacks.length) {
    throw new AnthropicError(
      `Cannot use the fallbackState: its index is ${first}, and there are ${fallbacks.length} fallbacks`,
    )
  }
  const body = withoutFallbackBlocks(given)
  const call: FallbackCall = {
    request: withBetas(request, options.betas ?? [creditBeta]),
    next,
    context,
    body,
    fallbacks,
    keep: (index) => {
      if (state) state.index = index
      else if (!memory.hasWarned) {
        memory.hasWarned = true
        context.logger.warn(
          'A fallback answers, and later requests will ask the models that refused: pass a fallbackState to begin with it',
        )
      }
    },
    onError: options.onError ?? (({ message }) => context.logger.error(message)),
  }
  return first === -1 ? begin(call, given) : beginWith(call, first)
}

/** Asks the caller's model. */
async function begin(call: FallbackCall, given: RequestBody): Promise<Response> {
  const { request, next, body } = call
  // Unchanged, the bytes are sent as they are.
  const response = await next(body === given ? request : { ...request, body: JSON.stringify(body) })
  return follow(call, response, -1, body)
}

/** Asks the fallback that answered before. */
async function beginWith(call: FallbackCall, index: number): Promise<Response> {
  const fallback = call.fallbacks[index]!
  const body = patched(call.body, fallback)
  const { response } = await askFallback(call, fallback, call.request, body)
  return follow(call, response, index, body)
}

function follow(
  call: FallbackCall,
  response: Response,
  index: number,
  body: RequestBody,
): Response | Promise<Response> {
  if (!response.ok || index >= call.fallbacks.length - 1) return response
  return body.stream ? fallbackStream(call, response, index + 1, body) : askInTurn(call, response, index, body)
}

/** Asks one fallback after another until a reply is not a refusal. */
async function askInTurn(call: FallbackCall, first: Response, start: number, body: RequestBody): Promise<Response> {
  const { context, fallbacks } = call
  const changes: FallbackBlock[] = []
  let response = first
  let from = body.model
  for (let index = start + 1; index < fallbacks.length; index++) {
    const message = await parsed(call, response)
    if (message?.stop_reason !== 'refusal') break
    const fallback = fallbacks[index]!
    const details = (message.stop_details ?? {}) as RefusalDetails
    call.keep(index)
    changes.push(fallbackBlock(from ?? message.model, fallback.model, details))
    from = fallback.model
    const token = details.fallback_credit_token
    const next = { ...patched(call.body, fallback), ...(token && creditOf(token)) }
    response = (await askFallback(call, fallback, call.request, next)).response
  }
  const message = changes.length > 0 ? await parsed(call, response) : undefined
  if (!message || message.stop_reason === 'refusal' || !Array.isArray(message.content)) return response
  context.logger.info(`${message.model} answered after ${changes.length} refusals`)
  return replaced(response, { ...message, content: [...changes, ...message.content] })
}

/** The message of a response; undefined if it is something else. */
async function parsed({ context }: Sender, response: Response): Promise<Message | undefined> {
  const message = response.ok ? await context.parse<Message | null | undefined>(response) : undefined
  return message?.type === 'message' ? message : undefined
}

function replaced(response: Response, message: object): Response {
  const { status, statusText } = response
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  headers.delete('content-encoding')
  return new Response(JSON.stringify(message), { status, statusText, headers })
}
