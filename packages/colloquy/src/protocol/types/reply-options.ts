// How the model thinks and replies.
import type { TokenTaskBudget } from './beta/request.ts'
import type { ThinkingBlockBinding } from './beta/thinking.ts'
import type { Unlisted } from './unlisted.ts'

/** Whether and how much the model thinks before it answers. */
export type ThinkingConfigParam =
  | ThinkingConfigEnabled
  | ThinkingConfigAdaptive
  | ThinkingConfigBetweenTools
  | ThinkingConfigDisabled
  | Unlisted

/** The model thinks, with a limit in tokens. */
export interface ThinkingConfigEnabled {
  type: 'enabled'
  /** At least 1024 and less than `max_tokens`. */
  budget_tokens: number
  display?: ThinkingDisplay | null
  /** Beta: how thinking of another history is treated. */
  block_binding?: ThinkingBlockBinding | null
}

/** The model decides how much to think. `output_config.effort` guides it. */
export interface ThinkingConfigAdaptive {
  type: 'adaptive'
  display?: ThinkingDisplay | null
  block_binding?: ThinkingBlockBinding | null
}

/** The model thinks only between tool calls. */
export interface ThinkingConfigBetweenTools {
  type: 'between_tools'
}

/** The model does not think. */
export interface ThinkingConfigDisabled {
  type: 'disabled'
}

/** The form of thinking in the reply: a summary, or none. */
export type ThinkingDisplay = 'summarized' | 'omitted' | (string & {})

/** The effort and the format of the reply. */
export interface OutputConfig {
  /** Default: the model's own, `high` or `medium`. */
  effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null
  format?: JSONOutputFormat | null
  /** Beta: the tokens that the whole task may use. */
  task_budget?: TokenTaskBudget | null
}

/** The reply is one JSON text that satisfies the schema. */
export interface JSONOutputFormat {
  type: 'json_schema'
  schema: { [key: string]: unknown }
}
