import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { MessageContentParam, ToolResultBlockParam } from '../../protocol/types/params.ts'
import { isContinueNote } from '../history/interruption.ts'
import { withoutSummaries } from '../history/tree.ts'
import { replyMessage } from '../history/view.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import type { ConversationStore, MessageRecord, TreeNode } from '../stores/store.ts'

/** A turn that was begun with a key, as far as it is recorded. */
export interface EarlierTurn {
  /** The replies of its steps, in order. There is at least one, and only the last may be incomplete. */
  replies: readonly MessageRecord[]
  /** The results of its tool calls, by the id of the call. */
  results: ReadonlyMap<string, ToolResultBlockParam>
}

/** Finds the turn that was begun with a key. Undefined if there is none. */
export async function findTurn(store: ConversationStore, id: string, key: string): Promise<EarlierTurn | undefined> {
  const begun = await store.find(id, key)
  if (begun === undefined) return undefined
  const nodes = withoutSummaries(await store.tree(id))
  const replies: MessageRecord[] = []
  const results = new Map<string, ToolResultBlockParam>()
  for (let node = replyTo(nodes, begun.message); node !== undefined;) {
    const [reply] = await store.read(id, [node.number])
    // Another process has erased it since.
    if (reply === undefined) break
    replies.push(reply)
    const next = await store.read(id, numbersAfter(nodes, node.number, 'user'))
    const message = next.findLast((each) => continuesTurn(reply, each))
    for (const result of resultsIn(message)) results.set(result.tool_use_id, result)
    node = replyTo(nodes, message?.number ?? node.number)
  }
  return replies.length === 0 ? undefined : { replies, results }
}

/** The reply to a message: the newest complete one, or else the newest. */
function replyTo(nodes: readonly TreeNode[], parent: number): TreeNode | undefined {
  const replies = nodes.filter((node) => node.parent === parent && node.role === 'assistant')
  return replies.findLast(({ state }) => state === 'committed') ?? replies.at(-1)
}

function numbersAfter(nodes: readonly TreeNode[], parent: number, role: string): number[] {
  return nodes.filter((node) => node.parent === parent && node.role === role).map(({ number }) => number)
}

/** Whether a message that follows a reply belongs to its turn: the results of its calls, or the request to continue it. */
function continuesTurn(reply: MessageRecord, message: MessageRecord): boolean {
  if (reply.state !== 'committed') return isContinueNote(message.json)
  const { continues } = JSON.parse(reply.reply ?? '{}') as ReplyRecord
  return continues === true && resultsIn(message).length > 0
}

/** The tool results of a message that has nothing else. */
function resultsIn(message: MessageRecord | undefined): ToolResultBlockParam[] {
  if (!message?.json.includes('"tool_result"')) return []
  const { content } = JSON.parse(message.json) as { content: MessageContentParam }
  if (typeof content === 'string') return []
  const results = content.filter((block) => block.type === 'tool_result')
  return results.length === content.length ? results : []
}

function callsOf(reply: MessageRecord): ToolUseBlock[] {
  const content = reply.state === 'committed' ? replyMessage(reply)?.content : undefined
  return (content ?? []).filter((block) => block.type === 'tool_use')
}

/**
 * The tool calls of earlier attempts of a turn. When a new attempt makes the same call again, the earlier result is used
 * instead: what a tool did must not be done twice.
 */
export class EarlierCalls {
  readonly #calls: { name: string; input: string; result: ToolResultBlockParam }[] = []

  /** @param interrupted makes the result of a call that has none. */
  constructor(turns: readonly EarlierTurn[], interrupted: (call: ToolUseBlock) => ToolResultBlockParam) {
    for (const { replies, results } of turns) {
      for (const call of replies.flatMap(callsOf)) {
        const result = results.get(call.id) ?? interrupted(call)
        this.#calls.push({ name: call.name, input: JSON.stringify(call.input), result })
      }
    }
  }

  /** The result of an earlier call with the same tool and input, which is used only once. */
  take({ id, name, input }: ToolUseBlock): ToolResultBlockParam | undefined {
    const text = JSON.stringify(input)
    const index = this.#calls.findIndex((call) => call.name === name && call.input === text)
    if (index < 0) return undefined
    const { result } = this.#calls[index]!
    this.#calls.splice(index, 1)
    return { ...result, tool_use_id: id }
  }
}
