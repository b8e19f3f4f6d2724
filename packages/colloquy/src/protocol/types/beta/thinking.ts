// Beta: what happens to thinking blocks that another model or history produced.

/** How the API treats thinking blocks whose history has changed. */
export interface ThinkingBlockBinding {
  prefix_mismatch_behavior?: ThinkingPrefixMismatchBehavior | null
}

/** Refuses the request, or leaves the block out. */
export type ThinkingPrefixMismatchBehavior = 'error' | 'drop_block'

/** A change that the API made to the history before the model read it. */
export type InputTransformation = ThinkingDroppedInputTransformation | ThinkingMismatchAllowedInputTransformation

/** A thinking block was left out. */
export interface ThinkingDroppedInputTransformation {
  type: 'thinking_dropped'
  /** The place of the block, such as `messages.1.content.0`. */
  path: string
  reason: ThinkingMismatchReason
}

/** A thinking block was kept although it does not fit. */
export interface ThinkingMismatchAllowedInputTransformation {
  type: 'thinking_mismatch_allowed'
  path: string
  reason: ThinkingMismatchReason
}

/** Why a thinking block does not fit the request. */
export type ThinkingMismatchReason =
  | 'model_binding_mismatch'
  | 'prefix_binding_mismatch'
  | 'organization_binding_mismatch'
  | 'end_user_binding_mismatch'
