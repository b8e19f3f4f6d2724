import type { Conversation, ConversationMessage, ConversationSettings, TurnOptions } from 'colloquy/conversation'
import {
  apiError,
  type ContentBlock,
  type ToolResultBlockParam,
  type ToolUnion,
  type ToolUseBlock,
} from 'colloquy/protocol'
import { answerCall, callsIn, definitionOf, type RunnableTool } from 'colloquy/tools'
import type { ToolJson } from './api.ts'

/** Runs a tool of its name without asking a reader. */
type RunsUnasked = (name: string) => boolean

/** The tools of a server, which its conversations may call. Calls wait until a reader runs them, unless they run unasked. */
export class ServerTools {
  readonly #tools: () => readonly RunnableTool[]
  readonly #runsUnasked: RunsUnasked
  /** The calls that are running, so that two pages do not run one twice. */
  readonly #running = new Set<string>()

  constructor(tools: () => readonly RunnableTool[] = () => [], runsUnasked: RunsUnasked = () => false) {
    this.#tools = tools
    this.#runsUnasked = runsUnasked
  }

  get list(): ToolJson[] {
    return this.#tools().map((tool) => ({
      name: tool.name,
      ...('description' in tool && tool.description !== undefined && { description: tool.description }),
      runsUnasked: this.#runsUnasked(tool.name),
    }))
  }

  /** The tools of a turn: those of its settings, and the server's. The settings come first if both have a tool of one name. */
  ofTurn(conversation: Conversation, changes: Partial<ConversationSettings>): Pick<TurnOptions, 'tools'> {
    return this.#beside(conversation, changes, (tool) => (this.#runsUnasked(tool.name) ? tool : definitionOf(tool)))
  }

  /** The tools of a turn as they are sent. */
  ofPreview(
    conversation: Conversation,
    changes: Partial<ConversationSettings>,
  ): Pick<Partial<ConversationSettings>, 'tools'> {
    return this.#beside(conversation, changes, definitionOf)
  }

  #beside<Tool>(
    { settings }: Conversation,
    changes: Partial<ConversationSettings>,
    form: (tool: RunnableTool) => Tool,
  ): { tools?: (ToolUnion | Tool)[] } {
    const { tools: declared = [] } = { ...settings, ...changes }
    const tools = this.#tools()
    // The conversation checks the tools.
    if (tools.length === 0 || !Array.isArray(declared)) return {}
    const names = new Set((declared as ({ name?: string } | null)[]).map((tool) => tool?.name))
    return { tools: [...declared, ...tools.filter(({ name }) => !names.has(name)).map(form)] }
  }

  /** Runs a call that waits. Throws the API's 404 if there is none, or if its tool is not the server's. */
  async run(conversation: Conversation, callId: string, signal: AbortSignal): Promise<ToolResultBlockParam> {
    const call = waitingCall(conversation, callId)
    if (call === undefined)
      throw apiError(
        'not_found_error',
        `Cannot find call ${callId.slice(0, 60)}: no call with this id waits for its result`,
      )
    const tools = this.#tools()
    if (!tools.some(({ name }) => name === call.name))
      throw apiError('not_found_error', `Cannot run tool ${call.name.slice(0, 128)}: it is not a tool of this server`)
    const key = JSON.stringify([conversation.id, callId])
    if (this.#running.has(key)) throw apiError('invalid_request_error', `Call ${callId} is running already`)
    this.#running.add(key)
    try {
      return await answerCall(call, tools, { signal })
    } finally {
      this.#running.delete(key)
    }
  }
}

function waitingCall(conversation: Conversation, id: string): ToolUseBlock | undefined {
  if (!conversation.waitingCalls.includes(id)) return undefined
  // The end of the path has it: the messages before are not parsed.
  const isWanted = (call: ToolUseBlock): boolean => call.id === id
  const message = conversation.messages.findLast((each) => callsOf(each).some(isWanted))
  return message && callsOf(message).find(isWanted)
}

function callsOf({ content }: ConversationMessage): ToolUseBlock[] {
  return typeof content === 'string' ? [] : callsIn({ content: content as ContentBlock[] })
}
