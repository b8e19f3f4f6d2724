import { type CacheUsage, inPieces, type PromptPrefixes, promptPrefixes } from 'colloquy/engines'
import type { MessageCreateParams, ModelEntry } from 'colloquy/protocol'
import type { CacheEntries } from './cache-entries.ts'
import type { ReplyEvent, ReplyEvents } from '../reply/reply-events.ts'

/**
 * Accounts for the prompt cache of the API in front of an engine that has none: the counts of a reply are what the API would
 * report for the same requests. The number of tokens stays the engine's.
 */
export class CacheAccounting {
  readonly #entries: CacheEntries
  readonly #models: { find(id: string): ModelEntry | undefined }
  readonly #now: () => number

  constructor(entries: CacheEntries, models: { find(id: string): ModelEntry | undefined }, now: () => number) {
    this.#entries = entries
    this.#models = models
    this.#now = now
  }

  /** The same events with the counts of the cache. */
  async *counted(events: ReplyEvents, params: MessageCreateParams, workspace: string): AsyncGenerator<ReplyEvent> {
    const startedAt = this.#now()
    const prefixes = await inPieces(promptPrefixes(params, this.#models.find(params.model)))
    const { candidates } = prefixes
    // Without the database nothing is cached: the reply matters more than its counts.
    const found =
      candidates.length > 0 ? await this.#entries.find(workspace, candidates, startedAt).catch(() => []) : []
    const cached = new Set(found)
    const isCached = (prefix: string): boolean => cached.has(prefix)
    const split = prefixes.usage(isCached)
    for await (const event of events) {
      if (event.type === 'message_start') {
        const { message } = event
        const used = prefixes.used(isCached)
        // Before the reply begins, so that the next request finds them.
        if (used.length > 0) await this.#entries.use(workspace, used, startedAt).catch(() => {})
        yield { ...event, message: { ...message, usage: withCache(message.usage, prefixes, split) } }
      } else if (event.type === 'message_delta' && event.usage.input_tokens != null) {
        yield { ...event, usage: withCache(event.usage, prefixes, split) }
      } else {
        yield event
      }
    }
  }
}

interface Counts {
  input_tokens: number | null
  cache_read_input_tokens?: number | null
  cache_creation_input_tokens?: number | null
}

/** The counts of an engine, divided as the cache would. They add up to what the engine has counted. */
function withCache<Usage extends object>(usage: Usage, prefixes: PromptPrefixes, split: CacheUsage): Usage {
  const given = usage as Partial<Counts>
  const total =
    (given.input_tokens ?? 0) + (given.cache_read_input_tokens ?? 0) + (given.cache_creation_input_tokens ?? 0)
  const scale = prefixes.tokens === 0 ? 0 : total / prefixes.tokens
  const read = Math.round(split.read * scale)
  const until1h = Math.round((split.read + split.written1h) * scale)
  const until5m = Math.round((split.read + split.written1h + split.written5m) * scale)
  return {
    ...usage,
    input_tokens: total - until5m,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: until5m - read,
    cache_creation: { ephemeral_1h_input_tokens: until1h - read, ephemeral_5m_input_tokens: until5m - until1h },
  }
}
