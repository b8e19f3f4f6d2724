/** The model that answers when nobody says which. */
export const defaultModel = 'claude-sonnet-5-5'
/** How long a reply may be when nobody says how long. */
export const defaultMaxTokens = 8192
