// Types that all kinds of tools share.

/** The fields that every tool definition may have. */
export interface ToolOptions {
  cache_control?: CacheControlEphemeral | null
  /** The model writes only calls that satisfy the schema. */
  strict?: boolean
  /** The model does not see the tool until a tool search finds it. */
  defer_loading?: boolean
  /** Default: `direct`, the model itself. */
  allowed_callers?: Array<ToolCallerType | 'code_execution_20260521'>
}

/** The caller: the model itself, or code that runs in the container. Send it back unchanged. */
export type ToolUseCaller = DirectCaller | ServerToolCaller | ServerToolCaller20260120
/** The type of a caller. */
export type ToolCallerType = ToolUseCaller['type']

/** The model itself. */
export interface DirectCaller {
  type: 'direct'
}

/** Code in the container. */
export interface ServerToolCaller {
  type: 'code_execution_20250825'
  tool_id: string
}

/** Code in the container. */
export interface ServerToolCaller20260120 {
  type: 'code_execution_20260120'
  tool_id: string
}

/** Marks the end of a prompt prefix to be cached. At most four a request. */
export interface CacheControlEphemeral {
  type: 'ephemeral'
  /** How long the entry lives after its last use. Default `5m`. */
  ttl?: '5m' | '1h'
}
