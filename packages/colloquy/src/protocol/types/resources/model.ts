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
  /** Beta: the models that `fallbacks` of a request to this model may name. */
  allowed_fallback_models?: string[] | null
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
    xhigh?: CapabilitySupport | null
    max: CapabilitySupport
  }
  context_management: CapabilitySupport & {
    clear_thinking_20251015?: CapabilitySupport | null
    clear_tool_uses_20250919?: CapabilitySupport | null
    compact_20260112?: CapabilitySupport | null
  }
  server_tools: CapabilitySupport & { code_execution?: CapabilitySupport; web_search?: CapabilitySupport }
  /** Beta: the types of `compaction` that the model supports. */
  compaction?: (CapabilitySupport & { summarize: CapabilitySupport }) | null
}
