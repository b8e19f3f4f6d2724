import type { PicoUsd } from './money.ts'

export type ThinkingType = 'adaptive' | 'between_tools' | 'disabled' | 'enabled'
export type EffortLevel = 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** What the catalogue knows of a model. */
export interface ModelEntry {
  /** The id that replies carry. */
  id: string
  /** Other ids that requests may use. */
  aliases: readonly string[]
  displayName: string
  line: 'haiku' | 'sonnet' | 'opus' | 'fable' | 'mythos' | (string & {})
  /** Days are written `YYYY-MM-DD` and begin in UTC. */
  releasedOn: string
  lifecycle: 'active' | 'deprecated'
  deprecatedOn?: string
  /** The day on which it stops answering, once that is announced. */
  retiresOn?: string
  /** The day before which it will not stop answering, as promised while it is active. */
  staysUntil?: string
  /** The window: prompt and reply together. */
  contextTokens: number
  maxOutputTokens: number
  /** Oldest first. Empty: no price is known. */
  prices: readonly Price[]
  /** A shorter prompt prefix is never cached. */
  minCacheTokens: number
  /** The long edge that an image is scaled down to, in pixels. */
  imagePixels: number
  thinking: ThinkingSupport
  /** Absent where the model takes no effort. */
  effort?: { levels: readonly EffortLevel[]; default: EffortLevel }
  /** The last message may be the assistant's: the reply goes on from there. */
  prefill: boolean
  /** `temperature`, `top_p` and `top_k` are taken under API version 2023-06-01. */
  sampling: boolean
  /** `tool_choice` may be `any` or `tool`. */
  forcedToolChoice: boolean
  /** Messages with the role `system` are taken. */
  systemInMessages: boolean
  /** The API compacts a prompt that grows too long, where it is asked to (beta). */
  compaction: boolean
}

export interface ThinkingSupport {
  /** What `thinking.type` may be. */
  types: readonly ThinkingType[]
  /** What a request without `thinking` gets. */
  default: ThinkingType
  /** Whether the text of thinking comes along where the request does not say. */
  display: 'omitted' | 'summarized'
  /** The most effort that a type is taken with. Absent: any that the model has. */
  maxEffort?: Partial<Record<ThinkingType, EffortLevel>>
}

/** A model that no longer answers. */
export interface RetiredModel {
  id: string
  aliases: readonly string[]
  retiredOn: string
}

/** A list price and since when it holds. */
export interface Price {
  /** The first day, UTC. */
  from: string
  source: string
  /** By the length of the prompt, shortest first; the whole request is billed in one band. */
  bands: readonly [PriceBand, ...PriceBand[]]
  /** The factor on every token with `speed: 'fast'`. Absent: unknown or not offered. */
  fastFactor?: bigint
}

/** Picodollars per token. */
export interface PriceBand {
  /** Holds for prompts of more tokens than this: input, cache writes and cache reads together. */
  abovePromptTokens: number
  input: PicoUsd
  cacheWrite5m: PicoUsd
  cacheWrite1h: PicoUsd
  cacheRead: PicoUsd
  output: PicoUsd
}
