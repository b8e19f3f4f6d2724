// Beta: the server replaces a long history by a summary.
import type { CacheControlEphemeral } from '../tools/options.ts'
import type {
  ToolAdditionBlock,
  ToolAdditionBlockParam,
  ToolRemovalBlock,
  ToolRemovalBlockParam,
} from './tool-change.ts'

/** Requests a summary of the history as the reply. */
export interface CompactionParams {
  type: 'summarize'
  instructions?: string | null
}

/** Replaces everything before it when the server compacted the history. Send it back unchanged. */
export interface CompactionBlock {
  type: 'compaction'
  content: string | null
  encrypted_content?: string | null
  signature?: string | null
  /** The tools that were added and removed before. */
  tool_changes?: Array<ToolAdditionBlock | ToolRemovalBlock> | null
}

/** A summary of the history that the server made. */
export interface CompactionBlockParam {
  type: 'compaction'
  content?: string | null
  encrypted_content?: string | null
  signature?: string | null
  tool_changes?: Array<ToolAdditionBlockParam | ToolRemovalBlockParam> | null
  cache_control?: CacheControlEphemeral | null
}
