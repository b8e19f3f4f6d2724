import type { Conversation, Conversations } from 'colloquy/conversation'
import type { Context } from 'hono'
import type { ModelChoiceJson } from './api.ts'
import type { ChangeFeed } from './change-feed.ts'
import type { Deletions } from './deletions.ts'
import type { Erasures } from './erasures.ts'
import type { Bodies } from './input.ts'
import type { DefaultSettings } from './options.ts'
import type { ServerTools } from './tools.ts'

/** A request that was admitted. */
export type RouteEnv = {
  Variables: { owner: string | undefined }
  Bindings: { onError: ((error: unknown) => void) | undefined }
}
export type RouteContext = Context<RouteEnv>

/** The values that the groups of routes share. */
export interface Resources {
  conversations: Conversations
  bodies: Bodies
  deletions: Deletions
  erasures: Erasures
  feed: ChangeFeed
  /** The settings of a new conversation of the sender. */
  defaults: (c: RouteContext) => DefaultSettings | Promise<DefaultSettings>
  /** The models that the sender may use. */
  models: (c: RouteContext) => readonly ModelChoiceJson[] | Promise<readonly ModelChoiceJson[]>
  tools: ServerTools
  pingMs: number
  /** Opens the conversation that the path of a request names. Throws a `ConversationNotFoundError`. */
  open: (c: RouteContext) => Promise<Conversation>
}
