/** A model id, such as `claude-sonnet-5-5`. Any string is accepted; `KnownModel` lists those of the catalogue. */
export type Model = KnownModel | (string & {})

/** The ids of the models in the catalogue. */
export type KnownModel =
  | 'claude-fable-5-2'
  | 'claude-mythos-5-2'
  | 'claude-fable-5-1'
  | 'claude-mythos-5-1'
  | 'claude-fable-5'
  | 'claude-mythos-5'
  | 'claude-mythos-preview'
  | 'claude-opus-5-5'
  | 'claude-opus-5'
  | 'claude-opus-4-8'
  | 'claude-opus-4-7'
  | 'claude-opus-4-6'
  | 'claude-opus-4-5'
  | 'claude-opus-4-5-20251101'
  | 'claude-sonnet-5-5'
  | 'claude-sonnet-5'
  | 'claude-sonnet-4-6'
  | 'claude-sonnet-4-5'
  | 'claude-sonnet-4-5-20250929'
  | 'claude-haiku-5-5'
  | 'claude-haiku-4-5'
  | 'claude-haiku-4-5-20251001'
