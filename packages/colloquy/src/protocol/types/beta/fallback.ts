// Beta: another model answers when the first one refuses.
import type { Model } from '../model.ts'
import type { OutputConfig, ThinkingConfigParam } from '../reply-options.ts'

/** A model to ask when another refuses, and what its request changes. A field that is null is left out of the request. */
export interface FallbackParam {
  model: Model
  max_tokens?: number | null
  output_config?: OutputConfig | null
  speed?: 'standard' | 'fast' | null
  thinking?: ThinkingConfigParam | null
  [field: string]: unknown
}

/** The models to ask in this order, or those that the API chooses. */
export type FallbacksParam = FallbackParam[] | 'default'

/** One side of a fallback. */
export interface FallbackInfo {
  model: Model
}

/** The refusal that led to a fallback. */
export interface FallbackRefusalTrigger {
  type: 'refusal'
  category: 'cyber' | 'bio' | 'frontier_llm' | 'reasoning_extraction' | 'general_harms' | (string & {}) | null
}

/** The token of a refusal, which lowers the price of the request to another model. */
export interface FallbackCreditTokenParam {
  token: string
  /** With `strict` (the default), a token that cannot be used is an error. */
  mode?: 'strict' | 'best_effort'
}

/** Whether the token of a refusal lowered the price. */
export interface FallbackCreditUsage {
  status: FallbackCreditRedeemed | FallbackCreditNotApplied
}

/** The token lowered the price. */
export interface FallbackCreditRedeemed {
  type: 'redeemed'
}

/** The token did not lower the price. */
export interface FallbackCreditNotApplied {
  type: 'not_applied'
  reason:
    | 'body_mismatch'
    | 'continuation_excluded'
    | 'continuation_only'
    | 'expired'
    | 'invalid_target_model'
    | 'not_enabled'
    | 'reprice_unavailable'
    | 'temporarily_unavailable'
    | 'variant_fields_present'
    | 'wrong_organization'
    | 'wrong_platform'
    | 'wrong_workspace'
    | (string & {})
  /** The fields of the request that prevented it. */
  remove_to_redeem?: string[] | null
}

/** Marks where another model took over after a refusal. Send it back unchanged. */
export interface FallbackBlock {
  type: 'fallback'
  from: FallbackInfo
  to: FallbackInfo
  trigger?: FallbackRefusalTrigger
}

/** The place where another model took over in an earlier reply. */
export interface FallbackBlockParam {
  type: 'fallback'
  from: FallbackInfo
  to: FallbackInfo
  trigger?: unknown
}
