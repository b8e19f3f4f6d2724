import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { ModelEntry } from '../../protocol/models/model-entry.ts'
import { printable } from '../printable.ts'
import { type PlanOptions, PromptPrefixes } from './prompt-cache.ts'
import { type PromptSegment, type TokenRules, promptSegments } from './tokens.ts'

/**
 * Finds the prefixes of a prompt that the API's prompt cache may hold, in steps. For servers that account for a cache which
 * their engine does not have.
 *
 * @example
 * ```ts
 * import { inPieces, promptPrefixes } from 'colloquy/engines'
 * import { findModel } from 'colloquy/protocol'
 *
 * const system = [{ type: 'text' as const, text: 'Be brief. '.repeat(2_000), cache_control: { type: 'ephemeral' as const } }]
 * const messages = [{ role: 'user' as const, content: 'Hi' }]
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 100, system, messages }
 * const prefixes = await inPieces(promptPrefixes(request, findModel(request.model)))
 * console.log(Object.keys(prefixes))
 * ```
 */
export function* promptPrefixes(
  params: MessageCreateParams,
  model: ModelEntry | undefined,
): Generator<void, PromptPrefixes> {
  const { segments, ...options } = yield* cachedPrompt(params, model)
  return yield* PromptPrefixes.of(segments, options)
}

/** The parts of a request that the prompt cache compares. */
export function* cachedPrompt(
  params: MessageCreateParams,
  model: ModelEntry | undefined,
): Generator<void, PlanOptions & { segments: PromptSegment[] }> {
  const segments: PromptSegment[] = []
  for (const segment of promptSegments(params, tokenRules(model))) {
    if (segment) segments.push(segment)
    yield
  }
  if (params.cache_control) markLast(segments, params.cache_control.ttl ?? '5m')
  const { tools = [], thinking, tool_choice, output_config, speed } = params
  const isSearching = tools.some(({ type }) => printable(type).startsWith('web_search'))
  const hasImages = segments.some(({ text }) => text.includes('"type":"image"'))
  const effort = output_config?.effort ?? model?.effort?.default
  return {
    segments,
    minTokens: model?.minCacheTokens ?? 1_024,
    keys: {
      tools: model?.id ?? params.model,
      system: JSON.stringify([speed ?? 'standard', isSearching]),
      messages: JSON.stringify([tool_choice ?? { type: 'auto' }, thinking, effort, hasImages]),
    },
  }
}

function markLast(segments: PromptSegment[], ttl: '5m' | '1h'): void {
  const last = segments.findLast(({ markable }) => markable)
  if (last) last.ttl ??= ttl
}

/** How a model counts tokens. */
export function tokenRules(model: ModelEntry | undefined): TokenRules {
  if (!model) return {}
  return { maxImageEdge: model.imagePixels, maxImageTokens: model.imagePixels > 1_568 ? 4_784 : 1_568 }
}
