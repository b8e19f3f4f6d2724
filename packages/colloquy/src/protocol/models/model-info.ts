import type { EffortLevel, ModelEntry, ThinkingType } from './model-entry.ts'

/** The response of `GET /v1/models/{id}`. Servers older than API version 2026-10-21 send only the first four fields. */
export interface ModelInfo {
  type: 'model'
  id: string
  display_name: string
  /** RFC 3339. */
  created_at: string
  /** The context window in tokens. */
  max_input_tokens?: number | null
  /** The most that `max_tokens` may be. */
  max_tokens?: number | null
  line?: 'haiku' | 'sonnet' | 'opus' | 'fable' | 'mythos' | (string & {}) | null
  lifecycle?: 'active' | 'deprecated' | 'retired' | (string & {})
  deprecated_at?: string | null
  retires_at?: string | null
  capabilities?: ModelCapabilities | null
}

/** Whether a model supports a feature. */
export interface CapabilitySupport {
  supported: boolean
}

/** The features that a model supports. */
export interface ModelCapabilities {
  batch: CapabilitySupport
  citations: CapabilitySupport
  code_execution: CapabilitySupport
  image_input: CapabilitySupport
  pdf_input: CapabilitySupport
  structured_outputs: CapabilitySupport
  thinking: CapabilitySupport & {
    types: {
      adaptive: CapabilitySupport
      between_tools: CapabilitySupport
      disabled: CapabilitySupport
      enabled: CapabilitySupport
    }
  }
  effort: CapabilitySupport & {
    low: CapabilitySupport
    medium: CapabilitySupport
    high: CapabilitySupport
    xhigh: CapabilitySupport
    max: CapabilitySupport
  }
  context_management: CapabilitySupport & { [edit: string]: unknown }
  server_tools: CapabilitySupport & { [tool: string]: unknown }
}

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
