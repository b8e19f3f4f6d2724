import type { PicoUsd } from './money.ts'

/** A value of `thinking.type`. */
export type ThinkingType = 'adaptive' | 'between_tools' | 'disabled' | 'enabled'
/** A value of `output_config.effort`. */
export type EffortLevel = 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** A model in the catalogue. */
export interface ModelEntry {
  /** The id in replies. */
  id: string
  /** Other ids that requests may use. */
  aliases: readonly string[]
  displayName: string
  line: 'haiku' | 'sonnet' | 'opus' | 'fable' | 'mythos' | (string & {})
  /** A day as `YYYY-MM-DD`, in UTC, like the other days. */
  releasedOn: string
  lifecycle: 'active' | 'deprecated'
  deprecatedOn?: string
  /** The day of its retirement, once announced. */
  retiresOn?: string
  /** The day before which it will not be retired, as promised while it is active. */
  staysUntil?: string
  /** The context window: prompt and reply together. */
  contextTokens: number
  maxOutputTokens: number
  /** Oldest first. Empty if no price is known. */
  prices: readonly Price[]
  /** The shortest prompt prefix that is cached. */
  minCacheTokens: number
  /** The long edge in pixels to which larger images are scaled down. */
  imagePixels: number
  thinking: ThinkingSupport
  /** Absent if the model does not accept an effort. */
  effort?: { levels: readonly EffortLevel[]; default: EffortLevel }
  /** Whether the last message may be the assistant's, which the reply then continues. */
  prefill: boolean
  /** Whether `temperature`, `top_p` and `top_k` are accepted under API version 2023-06-01. */
  sampling: boolean
  /** Whether `tool_choice` may be `any` or `tool`. */
  forcedToolChoice: boolean
  /** Whether messages may have the role `system`. */
  systemInMessages: boolean
  /** Whether the API can compact long prompts (beta). */
  compaction: boolean
}

/** The types of thinking that a model supports. */
export interface ThinkingSupport {
  /** The values of `thinking.type`. */
  types: readonly ThinkingType[]
  /** The type for a request without `thinking`. */
  default: ThinkingType
  /** Whether replies include the text of thinking by default. */
  display: 'omitted' | 'summarized'
  /** The highest effort for each type. Absent: any that the model has. */
  maxEffort?: Partial<Record<ThinkingType, EffortLevel>>
}

/** A retired model. */
export interface RetiredModel {
  id: string
  aliases: readonly string[]
  retiredOn: string
}

/** A list price and the day it begins. */
export interface Price {
  /** The first day, UTC. */
  from: string
  source: string
  /** The bands by length of the prompt, shortest first. A whole request is billed in one band. */
  bands: readonly [PriceBand, ...PriceBand[]]
  /** The factor on the price of every token with `speed: 'fast'`. Absent: unknown or not offered. */
  fastFactor?: bigint
}

/** Prices in picodollars per token. */
export interface PriceBand {
  /** The band applies to prompts of more tokens than this: input, cache writes and cache reads together. */
  abovePromptTokens: number
  input: PicoUsd
  cacheWrite5m: PicoUsd
  cacheWrite1h: PicoUsd
  cacheRead: PicoUsd
  output: PicoUsd
}
