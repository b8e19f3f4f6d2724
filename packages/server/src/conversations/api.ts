import type {
  ConversationMetadata,
  ConversationSettings,
  ImportReport,
  MessageJson,
  ReplyTrace,
  Shelf,
  TurnOptions,
} from 'colloquy/conversation'
import type { Message, MessageContentParam, MessageCreateParams, MessageParam } from 'colloquy/protocol'

// The bodies of requests and responses under /api, as docs/conversations-api.md describes them.

/** An amount of money: an exact number of picodollars (10⁻¹² USD), and the same amount in dollars, such as `0.00315`. */
export interface MoneyJson {
  picoUsd: string
  usd: string
}

/** A tool that the model may call in every conversation. */
export interface ToolJson {
  name: string
  description?: string
  /** Whether it runs without a reader. */
  runsUnasked: boolean
}

/** The response of `GET /api/tools`. */
export interface ToolsJson {
  data: ToolJson[]
}

/** A conversation in a list. */
export interface ListedConversationJson {
  id: string
  owner?: string
  metadata?: ConversationMetadata
  /** Absent if it is neither pinned nor archived. */
  shelf?: Shelf
  title?: string
  createdAt: string
  updatedAt: string
  /** The number of messages that were ever added, on all branches. */
  messages: number
  /** The number of replies that were paid for. */
  calls: number
  tokens: number
  cost: MoneyJson & { estimated: boolean; unpriced: number }
  /** The turn in flight; null if there is none. */
  turn: RunningTurnJson | null
}

/** A turn in flight, in whichever process it runs. */
export interface RunningTurnJson {
  /** The id of the reply that is being received. */
  messageId: string
}

/** A page of a list. */
export interface PageJson<Item> {
  data: Item[]
  hasMore: boolean
}

/** A page of `GET /api/conversations`. */
export interface ListPageJson extends PageJson<ListedConversationJson> {
  /** The value of `before` for the next page, also if conversations are used or deleted meanwhile; null on the last page. */
  next: string | null
}

/** A conversation and the end of its active path. */
export interface ConversationJson {
  id: string
  owner?: string
  metadata?: ConversationMetadata
  shelf?: Shelf
  title?: string
  createdAt: string
  updatedAt: string
  /** The id of the last message of the active path; null if there is none. */
  head: string | null
  settings: ConversationSettings
  /** The tokens by kind and the cost, over all branches. */
  usage: UsageJson
  turn: RunningTurnJson | null
  /** The ids of the tool calls at the end that have no result yet. Without a turn in flight, `send` takes their results. */
  waitingCalls: readonly string[]
  /** The last messages of the active path. `hasMore`: there are earlier ones. */
  path: PageJson<PathMessageJson>
}

/** The usage of several requests. */
export interface UsageJson {
  calls: number
  input_tokens: number
  cache_creation_input_tokens: number
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number }
  cache_read_input_tokens: number
  output_tokens: number
  server_tool_use: { web_search_requests: number; web_fetch_requests: number }
  cost: MoneyJson & { estimated: boolean; unpriced: number }
}

/** A message of a path. */
export interface PathMessageJson extends MessageJson {
  /** The ids of all versions of the message, itself included, oldest first. */
  versions: string[]
}

/** A message of the tree, without its content. */
export interface TreeMessageJson extends Omit<MessageJson, 'content'> {
  /** The beginning of its text, on one line. */
  excerpt: string
}

/** All messages of a conversation, each after its parent. */
export interface TreeJson {
  head: string | null
  data: TreeMessageJson[]
}

/** A message that a search found. */
export interface FoundMessageJson {
  conversationId: string
  messageId: string
  title?: string
  role: string
  createdAt: string
  /** The text around the first word. */
  excerpt: string
}

/** The body of `POST /api/conversations`. */
export interface CreateBody {
  id?: string
  title?: string
  metadata?: ConversationMetadata
  /** Settings that are left out are the server's defaults. */
  settings?: Partial<ConversationSettings>
  /** Earlier messages, in the API's form. */
  messages?: MessageParam[]
}

/** The settings that a body changes for one turn. */
export type TurnSettings = Partial<ConversationSettings>

/** Members of every body that begins a turn. */
export interface TurnBody {
  /** Settings for this turn only, such as another `model`. */
  settings?: TurnSettings
  onConflict?: NonNullable<TurnOptions['onConflict']>
}

/** The body of `POST /api/conversations/{id}/send`. */
export interface SendBody extends TurnBody {
  content: MessageContentParam
  /** Sends the message once, however often the request is repeated. */
  key?: string
}

/** The body of `POST /api/conversations/{id}/edit`. */
export interface EditBody extends TurnBody {
  messageId: string
  content: MessageContentParam
  /** Whether the model replies to the new content of a user message. False keeps the replies that follow. Default true. */
  rerun?: boolean
}

/** The body of `POST /api/conversations/{id}/retry`. */
export interface RetryBody extends TurnBody {
  /** A user message, for another reply to it. Default: another version of the last reply. */
  messageId?: string
}

/** The body of `PATCH /api/conversations/{id}`. Members that are absent stay as they are. */
export interface ChangeBody {
  /** Null: no title. */
  title?: string | null
  metadata?: ConversationMetadata | null
  /** Null: neither pinned nor archived. Alone it changes no `updatedAt`. */
  shelf?: Shelf | null
  /** Changes of the settings; null removes one. */
  settings?: { [Name in keyof ConversationSettings]?: ConversationSettings[Name] | null }
}

/** The body of `POST …/switch` and `…/erase/undo`. */
export interface MessageBody {
  messageId: string
}

/** The body of `POST …/erase`. */
export interface EraseBody extends MessageBody {
  /** Milliseconds in which `POST …/erase/undo` takes it back, at most 60,000. Default 0: erased at once. */
  undoMs?: number
}

/** The body of `POST …/fork`. */
export interface ForkBody {
  /** The last message of the new conversation. Default: that of the active path. */
  messageId?: string
}

/** The body of `POST …/undo`. */
export interface UndoBody {
  /** How many turns are taken back. Default 1. */
  turns?: number
}

/** The body of `POST …/preview`. */
export interface PreviewBody {
  content?: MessageContentParam
  settings?: TurnSettings
  /** Whether the response has the request, which is as long as the conversation. Default true. */
  request?: boolean
}

/** The response of `POST …/stop`. */
export interface StopJson {
  /** False: no turn was in flight. */
  stopped: boolean
}

/** The response of `DELETE /api/conversations/{id}`. */
export interface DeletedJson {
  id: string
  /** The time until which `POST …/restore` brings the conversation back. */
  restorableUntil: string
}

/** A conversation that was imported. */
export interface ImportedJson {
  id: string
  title?: string
  report: ImportReport
  /** True: an earlier import has added it, with the same settings. */
  existed: boolean
}

/** The response of `POST …/preview`: the next request, before it is sent. */
export interface PreviewJson {
  /** Null if the body asked for its size and cost alone. */
  request: MessageCreateParams | null
  inputTokens: number
  /** Whether the tokens are an estimate of this library, rather than counted by the engine. */
  estimated: boolean
  /** The most that the request can cost; null if the model has no known price. */
  mostCost: MoneyJson | null
}

/** The response of `GET …/messages/{messageId}/cost`: the arithmetic of a reply's cost, line by line. */
export interface ReplyCostJson {
  model: string
  /** Null if the model has no known price. */
  total: MoneyJson | null
  /** The reply was interrupted, so its output tokens are an estimate. */
  estimated: boolean
  /** The first day and the source of the price. */
  price: { from: string; source: string } | null
  lines: CostLineJson[]
}

/** The response of `GET …/messages/{messageId}/exchange`: the request of a reply, and what came back. */
export interface ExchangeJson {
  /** Its messages are those that were sent, with the cache breakpoints that would be set now. */
  request: MessageCreateParams
  /** Whether its other parameters are those that were sent. False: they are the settings that the conversation has now. */
  exact: boolean
  /** The API's message; null if nothing arrived. */
  response: Message | null
  /** When each event arrived; null if the program that received the reply kept no trace. */
  trace: ReplyTrace | null
}

/** A line of a reply's cost. */
export interface CostLineJson {
  bucket: 'input' | 'cacheWrite5m' | 'cacheWrite1h' | 'cacheRead' | 'output' | 'serverTools'
  /** Tokens; of `serverTools` the number of searches. */
  count: number
  /** The list price of a million tokens in dollars; of `serverTools` the price of one search. */
  priceUsd: string
  cost: MoneyJson
}

/** A model that a conversation can use. */
export interface ModelChoiceJson {
  id: string
  displayName: string
  /** Whether it runs on the server's machine and costs nothing. */
  isLocal: boolean
  contextTokens: number | null
  maxOutputTokens: number | null
  /** The efforts that it can think with; empty if it cannot. */
  efforts: string[]
  /** The list price of a million tokens in dollars; null if it is not known. */
  price: { inputUsd: string; outputUsd: string } | null
}

/** The response of `GET /api/session`, a route of the console. */
export interface SessionJson {
  program: 'colloquy'
  pid: number
  /** Whether the request has a session. */
  open: boolean
  /** Whether the session is one of a member, who sees neither the keys nor what others use. */
  member: boolean
  /** The id of the key that opened the session; null for a link. */
  keyId: string | null
}

/** The response of `GET /api/models`. The model of `defaults` is always in the list. */
export interface ModelsJson {
  data: ModelChoiceJson[]
  /** The settings of a new conversation. */
  defaults: Partial<ConversationSettings>
}

/** An event of `GET /api/changes`. */
export type ChangeJson =
  /** The connection is established: read the list, and then what is shown. */
  | { type: 'ready' }
  /** A conversation is new or has changed: its title, messages, settings, or whether a turn is in flight. */
  | { type: 'changed'; conversation: ListedConversationJson }
  | { type: 'deleted'; id: string }
