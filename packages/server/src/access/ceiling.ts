import { countPromptTokens } from 'colloquy/engines'
import {
  apiError,
  bandFor,
  findModel,
  fromUsd,
  type MessageCreateParams,
  type ModelEntry,
  priceAt,
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
const searchesWithoutLimit = 20n
const searchPicoUsd = fromUsd('0.01')
/** Below this size each byte of the body is reserved as a token, which no text exceeds. */
const smallBytes = 16_384
/** The tokens of the longest prompt that a model reads: a longer one is refused, and costs nothing. */
const mostTokens = 1_000_000
/** From this size a text is taken for the longest prompt: counting its tokens would hold up other requests. */
const longBytes = 3_000_000

/** The amount that a budget reserves for a request. Throws the API's 400 if the model has no price and may cost something. */
export function ceilingOf(params: MessageCreateParams, { mayCost, ...options }: CeilingOptions): bigint {
  const most = mostCostOf(params, options)
  if (most !== undefined) return most
  if (!mayCost()) return 0n
  throw apiError('invalid_request_error', `Cannot apply the budget of the key: found no price for ${params.model}`)
}

/**
 * The most that a request can cost: a prompt that is written to the cache for an hour, and a reply as long as it may be.
 * Undefined if the model has no price. A forwarded request may have any form: a field that the upstream will refuse counts as if
 * it were not there.
 */
export function mostCostOf(params: MessageCreateParams, options: MostCostOptions): bigint | undefined {
  const { bytes, at, models, isForwarded = false } = options
  const entry = findModel(params.model, models)
  const price = entry && priceAt(entry, new Date(at))
  if (!price) return undefined
  const most = Math.max(entry.contextTokens, mostTokens)
  const tokens = isForwarded && namesMore(params) ? entry.contextTokens : Math.min(most, promptTokens(params, bytes))
  const band = bandFor(price, tokens)
  const output = wholeNumber(params.max_tokens) ?? BigInt(entry.maxOutputTokens)
  const tokensCost = BigInt(tokens) * band.cacheWrite1h + output * band.output
  const fast = params.speed === 'fast' ? (price.fastFactor ?? 1n) : 1n
  const regional = params.inference_geo === 'us' ? (tokensCost * fast) / 10n : 0n
  return tokensCost * fast + regional + searchesOf(params)
}

/** More tokens than any tokenizer makes of a prompt. */
function promptTokens(params: MessageCreateParams, bytes: number): number {
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

function searchesOf({ tools }: MessageCreateParams): bigint {
  return listOf(tools).reduce<bigint>((sum, tool) => {
    const { type, max_uses: most } = (tool ?? {}) as Block
    if (!String(type).startsWith('web_search')) return sum
    return sum + (wholeNumber(most) ?? searchesWithoutLimit) * searchPicoUsd
  }, 0n)
}

function wholeNumber(value: unknown): bigint | undefined {
  return Number.isInteger(value) && (value as number) >= 0 ? BigInt(value as number) : undefined
}
