// Beta: edits that the API applies to a long history before the model reads it.
import type { Unlisted } from '../unlisted.ts'

/** Edits that the API applies to a long history, in this order. */
export interface ContextManagement {
  edits?: ContextEdit[]
}

/** An edit of the history, such as `{ type: 'clear_tool_uses_20250919' }`. */
export type ContextEdit = ClearToolUses20250919Edit | ClearThinking20251015Edit | Compact20260112Edit | Unlisted

/** Removes old tool results. */
export interface ClearToolUses20250919Edit {
  type: 'clear_tool_uses_20250919'
  /** When the edit begins. Default: at 100,000 input tokens. */
  trigger?: InputTokensCount | ToolUsesCount
  /** The calls that stay. Default: the last three. */
  keep?: ToolUsesCount
  clear_at_least?: InputTokensCount | null
  clear_tool_inputs?: boolean | string[] | null
  exclude_tools?: string[] | null
}

/** Removes thinking of old turns. */
export interface ClearThinking20251015Edit {
  type: 'clear_thinking_20251015'
  keep?: ThinkingTurns | AllThinkingTurns | 'all'
}

/** Replaces the history by a summary when it grows long. */
export interface Compact20260112Edit {
  type: 'compact_20260112'
  instructions?: string | null
  /** Ends the reply with the summary. Default: the model continues its reply. */
  pause_after_compaction?: boolean
  trigger?: InputTokensCount | null
}

/** A number of input tokens. */
export interface InputTokensCount {
  type: 'input_tokens'
  value: number
}

/** A number of tool calls. */
export interface ToolUsesCount {
  type: 'tool_uses'
  value: number
}

/** The last turns with thinking. */
export interface ThinkingTurns {
  type: 'thinking_turns'
  value: number
}

/** All turns with thinking. */
export interface AllThinkingTurns {
  type: 'all'
}

/** The edits that the API applied. */
export interface ContextManagementResponse {
  applied_edits: Array<ClearToolUses20250919EditResponse | ClearThinking20251015EditResponse>
}

/** The tool calls that were cleared. */
export interface ClearToolUses20250919EditResponse {
  type: 'clear_tool_uses_20250919'
  cleared_input_tokens: number
  cleared_tool_uses: number
}

/** The thinking that was cleared. */
export interface ClearThinking20251015EditResponse {
  type: 'clear_thinking_20251015'
  cleared_input_tokens: number
  cleared_thinking_turns: number
}

/** The tokens of the history before the edits. */
export interface CountTokensContextManagementResponse {
  original_input_tokens: number
}
