import type { Conversations, ConversationSettings } from 'colloquy/conversation'
import { checkOptionNames } from 'colloquy/protocol'
import type { RunnableTool } from 'colloquy/tools'
import type { BodyOptions } from '../messages/request/body.ts'
import type { ModelChoiceJson } from './api.ts'

/** Options of `conversationRoutes()`. */
export interface ConversationRoutesOptions extends BodyOptions {
  /** The conversations that the routes read and change. */
  conversations: Conversations
  /**
   * Decides who may send a request: throws an error of the API, such as `apiError('authentication_error')`, or returns the
   * owner whose conversations alone the request may use. Default: everyone may use all conversations.
   */
  admit?: (request: Request) => Admitted | Promise<Admitted>
  /**
   * The settings of a new conversation, as far as a request leaves them out, or a function that returns those of a sender.
   * Default none: requests name the model.
   */
  defaults?: DefaultSettings | ((sender: Admitted) => DefaultSettings | Promise<DefaultSettings>)
  /** Returns the models that `GET /api/models` lists for a sender. Default: those of the catalogue. */
  models?: (sender: Admitted) => readonly ModelChoiceJson[] | Promise<readonly ModelChoiceJson[]>
  /**
   * Returns the tools that the model may call in every conversation now. Each call waits until a reader runs it by
   * `POST /api/conversations/{id}/calls/{callId}/run`, and sends its result. Default none.
   */
  tools?: () => readonly RunnableTool[]
  /** Whether the tool of a name runs without a reader, and the turn continues with its result. Default: none does. */
  runsUnasked?: (name: string) => boolean
  /** How long a deletion can be taken back, in milliseconds. Default 10,000. */
  undoMs?: number
  /** Milliseconds without an event after which a stream gets a ping. Default 10,000. */
  pingMs?: number
}

/** Settings of a new conversation that a request may leave out. */
export type DefaultSettings = Partial<ConversationSettings>

/** The sender of a request to the conversations. */
export interface Admitted {
  /** The owner of the conversations that the request may use. Undefined: all conversations. */
  owner?: string | undefined
}

const optionNames = Object.keys({
  conversations: true,
  admit: true,
  defaults: true,
  models: true,
  tools: true,
  runsUnasked: true,
  undoMs: true,
  pingMs: true,
  maxBodyBytes: true,
  maxBufferedBytes: true,
  bodyTimeoutMs: true,
} satisfies Record<keyof ConversationRoutesOptions, true>)

/** Throws if an option has a name that is not known. */
export function checkConversationRoutesOptions(options: ConversationRoutesOptions): void {
  checkOptionNames(options, optionNames, 'conversationRoutes()')
}
