import type { CompactionParams } from '../../protocol/types/beta/compaction.ts'
import type { OutputConfig } from '../../protocol/types/params.ts'
import type { ToolRunnerParams } from './tool-runner-state.ts'

/**
 * The parameters of a request that compacts. Without those that shape a reply, which the API refuses here: the response is a
 * summary only.
 */
export function compactionParams(params: ToolRunnerParams, compaction: CompactionParams): ToolRunnerParams {
  const { context_management: _edits, stop_sequences: _stops, output_format: _format, ...kept } = params
  const choice = kept.tool_choice?.type
  if (choice === 'any' || choice === 'tool') delete kept.tool_choice
  if (kept.output_config) kept.output_config = withoutFormat(kept.output_config)
  const { fallbacks } = kept as { fallbacks?: unknown }
  const compacting = { ...kept, compaction }
  return Array.isArray(fallbacks)
    ? Object.assign(compacting, { fallbacks: fallbacks.map(withoutItsFormat) })
    : compacting
}

function withoutFormat({ format: _, ...config }: OutputConfig): OutputConfig {
  return config
}

function withoutItsFormat(fallback: { output_config?: OutputConfig | null }): object {
  const { output_config } = fallback
  return output_config ? { ...fallback, output_config: withoutFormat(output_config) } : fallback
}
