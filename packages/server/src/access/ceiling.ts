import { countPromptTokens } from 'colloquy/engines'
import {
  AnthropicError,
  APIError,
  apiError,
  findModel,
  type MessageCreateParams,
  type ModelEntry,
  mostCostOf as mostCost,
  priceAt,
  type ToolUnion,
} from 'colloquy/protocol'

interface MostCostOptions {
  /** The bytes of the request's body. */
  bytes: number
  at: number
  models?: readonly ModelEntry[] | undefined
  /** Whether an upstream checks the request, and adds what it only names: the history of a thread, files and documents. */
  isForwarded?: boolean | undefined
}

interface CeilingOptions extends MostCostOptions {
  /** Whether a reply of this model may cost something. Asked if it has no price. */
  mayCost: () => boolean
}

/** Searches that are reserved for a tool without `max_uses`. */
const searchesWithoutLimit = 20
/** Below this size each byte of the body is reserved as a token, which no text exceeds. */
const smallBytes = 16_384
/** The tokens of the longest prompt that a model reads: a longer one is refused, and costs nothing. */
const mostTokens = 1_000_000
/** From this size a text is taken for the longest prompt: counting its tokens would hold up other requests. */
const longBytes = 3_000_000

/** The amount that a budget reserves for a request. Throws the API's 400 if the model has no price and may cost something. */
export function ceilingOf(params: MessageCreateParams, { mayCost, ...options }: CeilingOptions): bigint {
  const most = mostOf(params, options)
  if (most !== undefined) return most
  if (!mayCost()) return 0n
  throw apiError('invalid_request_error', `Cannot apply the budget of the key: found no price for ${params.model}`)
}

/** The most that a request can cost. Undefined if a model has no price, or if there is no bound. */
export function mostCostOf(params: MessageCreateParams, options: MostCostOptions): bigint | undefined {
  try {
    return mostOf(params, options)
  } catch (error) {
    if (error instanceof APIError) return undefined
    throw error
  }
}

/**
 * The most that a request can cost. Undefined if a model has no price. A forwarded request may have any form: a field that the
 * upstream will refuse counts as if it were not there. Throws the API's 400 for an advisor without `max_uses`.
 */
function mostOf(params: MessageCreateParams, options: MostCostOptions): bigint | undefined {
  const { bytes, at, models, isForwarded = false } = options
  const entry = findModel(params.model, models)
  const price = entry && priceAt(entry, new Date(at))
  if (!price) return undefined
  const most = Math.max(entry.contextTokens, mostTokens)
  const promptTokens = isForwarded && namesMore(params) ? entry.contextTokens : Math.min(most, tokensOf(params, bytes))
  const own = {
    model: params.model,
    max_tokens: wholeNumber(params.max_tokens) ?? entry.maxOutputTokens,
    speed: params.speed === 'fast' && price.fastFactor !== undefined ? ('fast' as const) : null,
    inference_geo: params.inference_geo === 'us' ? 'us' : null,
    tools: listOf(params.tools).map(withSearches) as ToolUnion[],
  }
  const { context_management, fallbacks } = params
  const settings = { ...own, ...(context_management && { context_management }), ...(fallbacks && { fallbacks }) }
  try {
    return mostCost(settings, { promptTokens, at: new Date(at), models })
  } catch (error) {
    if (error instanceof AnthropicError) throw apiError('invalid_request_error', error.message)
    return mostCost({ ...own, tools: [] }, { promptTokens, at: new Date(at), models })
  }
}

/** More tokens than any tokenizer makes of a prompt. */
function tokensOf(params: MessageCreateParams, bytes: number): number {
  const hasMedia = blocksOf(params).some(({ type }) => type === 'image' || type === 'document')
  if (!hasMedia && (bytes <= smallBytes || bytes >= longBytes)) return bytes
  const estimate = estimateOf(params) ?? bytes
  // Three times the estimate is more than a tokenizer makes of any text. A small image may have more tokens than bytes.
  return (bytes <= smallBytes ? bytes : Math.min(bytes, estimate * 3)) + (hasMedia ? estimate : 0)
}

function estimateOf(params: MessageCreateParams): number | undefined {
  try {
    return countPromptTokens(params)
  } catch {
    // The form of the request is wrong, and the upstream will refuse it.
    return undefined
  }
}

/** Whether the prompt has parts that are not in the body: at most the context window of the model is filled with them. */
function namesMore(params: MessageCreateParams): boolean {
  if (params.thread?.type === 'continue') return true
  return blocksOf(params).some(({ type, source }) => {
    const kind = (source as { type?: unknown } | null | undefined)?.type
    return type === 'container_upload' || (type === 'document' && (kind === 'url' || kind === 'file'))
  })
}

type Block = Partial<Record<string, unknown>>

/** The blocks of a request, and those inside of tool results, as far as they are lists of objects. */
function blocksOf({ messages }: MessageCreateParams): Block[] {
  const found: Block[] = []
  const lists: unknown[] = listOf(messages).map((message) => (message as Block | null)?.['content'])
  // The list grows while it is read.
  for (const list of lists)
    for (const block of listOf(list)) {
      if (typeof block !== 'object' || block === null) continue
      found.push(block)
      if ('content' in block) lists.push(block.content)
    }
  return found
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A tool that says how often it may search. */
function withSearches(tool: unknown): unknown {
  const { type, max_uses: most } = (tool ?? {}) as Block
  const isUnlimited = String(type).startsWith('web_search') && wholeNumber(most) === undefined
  return isUnlimited ? { ...(tool as Block), max_uses: searchesWithoutLimit } : (tool ?? {})
}

function wholeNumber(value: unknown): number | undefined {
  return Number.isInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}
