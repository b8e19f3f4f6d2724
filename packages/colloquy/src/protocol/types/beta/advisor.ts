// Beta: the model asks another model for advice.
import type { Model } from '../model.ts'
import type { CacheControlEphemeral, ToolOptions } from '../tools/options.ts'

/** Lets the model ask another model for advice. */
export interface AdvisorTool20260301 extends ToolOptions {
  type: 'advisor_20260301'
  name: 'advisor'
  /** The model that advises. */
  model: Model
  max_tokens?: number | null
  max_uses?: number | null
  /** Caches the prompt of the advisor. */
  caching?: CacheControlEphemeral | null
}

/** The advice, or its error. */
export interface AdvisorToolResultBlock {
  type: 'advisor_tool_result'
  tool_use_id: string
  content: AdvisorResultBlock | AdvisorRedactedResultBlock | AdvisorToolResultError
}

/** The advice of an earlier reply. */
export interface AdvisorToolResultBlockParam {
  type: 'advisor_tool_result'
  tool_use_id: string
  content: AdvisorResultBlockParam | AdvisorRedactedResultBlockParam | AdvisorToolResultError
  cache_control?: CacheControlEphemeral | null
}

/** The text of an advice. */
export interface AdvisorResultBlock {
  type: 'advisor_result'
  text: string
  stop_reason: string | null
}

/** An encrypted advice. Send it back unchanged. */
export interface AdvisorRedactedResultBlock {
  type: 'advisor_redacted_result'
  /** Opaque. */
  encrypted_content: string
  stop_reason: string | null
}

/** The text of an advice in an earlier reply. */
export interface AdvisorResultBlockParam {
  type: 'advisor_result'
  text: string
  stop_reason?: string | null
}

/** An encrypted advice in an earlier reply. */
export interface AdvisorRedactedResultBlockParam {
  type: 'advisor_redacted_result'
  encrypted_content: string
  stop_reason?: string | null
}

/** The advisor failed. */
export interface AdvisorToolResultError {
  type: 'advisor_tool_result_error'
  error_code:
    | 'max_uses_exceeded'
    | 'prompt_too_long'
    | 'too_many_requests'
    | 'overloaded'
    | 'unavailable'
    | 'execution_time_exceeded'
    | 'model_not_found'
}
