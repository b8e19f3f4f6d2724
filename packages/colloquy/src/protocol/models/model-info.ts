import type { CapabilitySupport, ModelInfo } from '../types/resources/model.ts'
import type { EffortLevel, ModelEntry, ThinkingType } from './model-entry.ts'

/** An entry of the catalogue in the form of the Models API. */
export function modelInfo(entry: ModelEntry): ModelInfo {
  const yes = { supported: true }
  const is = (supported: boolean): CapabilitySupport => ({ supported })
  const thinks = (type: ThinkingType): CapabilitySupport => is(entry.thinking.types.includes(type))
  const takes = (level: EffortLevel): CapabilitySupport => is(entry.effort?.levels.includes(level) ?? false)
  return {
    type: 'model',
    id: entry.id,
    display_name: entry.displayName,
    created_at: midnight(entry.releasedOn),
    max_input_tokens: entry.contextTokens,
    max_tokens: entry.maxOutputTokens,
    line: entry.line,
    lifecycle: entry.lifecycle,
    deprecated_at: entry.deprecatedOn === undefined ? null : midnight(entry.deprecatedOn),
    retires_at: entry.retiresOn === undefined ? null : midnight(entry.retiresOn),
    capabilities: {
      batch: yes,
      citations: yes,
      code_execution: yes,
      image_input: yes,
      pdf_input: yes,
      structured_outputs: yes,
      thinking: {
        ...is(entry.thinking.types.some((type) => type !== 'disabled')),
        types: {
          adaptive: thinks('adaptive'),
          between_tools: thinks('between_tools'),
          disabled: thinks('disabled'),
          enabled: thinks('enabled'),
        },
      },
      effort: {
        ...is(entry.effort !== undefined),
        low: takes('low'),
        medium: takes('medium'),
        high: takes('high'),
        xhigh: takes('xhigh'),
        max: takes('max'),
      },
      context_management: {
        ...yes,
        clear_thinking_20251015: yes,
        clear_tool_uses_20250919: yes,
        compact_20260112: is(entry.compaction),
      },
      server_tools: { ...yes, web_search: yes, code_execution: yes },
    },
  }
}

function midnight(day: string): string {
  return `${day}T00:00:00Z`
}
