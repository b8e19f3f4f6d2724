import { callsIn } from '../../protocol/models/token-counts.ts'
import { newId } from '../../engines/id.ts'
import type { ContentBlock, Message, StopReason, Usage, UsageIteration } from '../../protocol/types/message.ts'
import type { MessageContentParam } from '../../protocol/types/params.ts'
import { addUsage } from '../../tools/usage.ts'
import type { CacheReport } from '../cache/cache-planner.ts'
import type { PromptSlice } from '../history/history.ts'
import { encodeMessage } from '../history/records.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import { idOf } from '../history/tree.ts'
import { addCost, noUsage, type ReplyCost, replyCost } from '../money/ledger.ts'
import type { MessageRecord } from '../stores/store.ts'
import type { ReplyOutcome } from './request/finish.ts'

/** One request of a turn and its reply, as it is recorded in the conversation. */
export interface ReplyStep {
  /** The reply's id in the conversation, for `retry`, `edit` and `switchTo`. The API's own id is `message.id`. */
  messageId: string
  /** The message that it answers; undefined at the beginning. */
  parentId: string | undefined
  message: Message
  text: string
  usage: Usage
  /** Undefined: the model has no known price. */
  cost: ReplyCost | undefined
  /** The plan for the prompt cache and how it turned out; undefined if no cache breakpoints were placed. */
  cache: CacheReport | undefined
  /** The messages that did not fit into the window; undefined if all were sent. */
  window: WindowReport | undefined
  stopReason: StopReason | null
}

/**
 * The reply of a turn. In a turn of several steps, `message`, `text` and the other members are those of the last step;
 * `usage` and `cost` are those of all steps together.
 */
export interface Reply extends ReplyStep {
  /** The steps of the turn, in order. There is one unless tools run or the reply pauses. */
  steps: readonly ReplyStep[]
}

/** The reply of a turn with these steps. */
export function replyOfTurn(steps: readonly ReplyStep[]): Reply {
  const [first] = steps
  if (steps.length === 1) return { ...first!, steps }
  return {
    ...steps.at(-1)!,
    usage: steps.map(({ usage }) => usage).reduce(addUsage),
    cost: steps.map(({ cost }) => cost).reduce(addCost),
    steps,
  }
}

/** The reply of a record. */
export function replyOf(
  { number, parent }: Pick<MessageRecord, 'number' | 'parent'>,
  message: Message,
  { cost, cache, window }: Partial<Pick<ReplyStep, 'cost' | 'cache' | 'window'>>,
): ReplyStep {
  return {
    messageId: String(number),
    parentId: idOf(parent),
    message,
    text: textOf(message),
    usage: message.usage,
    cost,
    cache,
    window,
    stopReason: message.stop_reason,
  }
}

function textOf({ content }: Message): string {
  let text = ''
  for (const block of content) if (block.type === 'text') text += block.text
  return text
}

export interface WrittenReply {
  /** The conversation's id. */
  id: string
  handle: number
  content: MessageContentParam
  model: string
}

/** A reply that the user wrote: it used no tokens and costs nothing. */
export function writtenOutcome({ id, handle, content, model }: WrittenReply): ReplyOutcome {
  const message: Omit<Message, 'content'> = {
    id: newId('msg_'),
    type: 'message',
    role: 'assistant',
    model,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { ...noUsage },
  }
  // `checkReplacement` has ruled out blocks that only a user may send.
  const blocks = (
    typeof content === 'string' ? [{ type: 'text', text: content, citations: null }] : content
  ) as ContentBlock[]
  const json = encodeMessage('assistant', blocks)
  const reply = JSON.stringify({ message, cost_pico_usd: 0, unpaid: true } satisfies ReplyRecord)
  return {
    step: { id, handle, state: 'committed', json, received: null, reply, at: Date.now() },
    message: { ...message, content: blocks },
    cost: replyCost(message, false),
    error: undefined,
  }
}

/** A summary that was written in the course of a turn. */
export interface WrittenSummary {
  /** `turn`: by a request of its own, before the reply. `api`: by the API, as a part of the reply. */
  by: 'turn' | 'api'
  /** Undefined if the API encrypted it. */
  text: string | undefined
  usage: Pick<Usage, 'input_tokens' | 'cache_creation_input_tokens' | 'cache_read_input_tokens' | 'output_tokens'>
  /**
   * The cost of that request, which is not part of the reply's; for `api`, a part of the reply's cost. Undefined: no known
   * price.
   */
  cost: ReplyCost | undefined
}

/** A report on the messages that did not fit into the window. */
export interface WindowReport {
  /** How many of the first messages of the path were not sent. */
  dropped: number
  /** The summaries that were written in the course of the turn. */
  summaries: readonly WrittenSummary[]
}

/** The report of a turn's window; undefined if the complete path was sent. */
export function windowReport(
  { dropped }: PromptSlice,
  message: Message,
  written: readonly WrittenSummary[],
): WindowReport | undefined {
  const byApi = message.usage.iterations?.length ? compactionsIn(message) : []
  if (dropped === 0 && written.length === 0 && byApi.length === 0) return undefined
  return { dropped, summaries: [...written, ...byApi] }
}

/** The summaries that the API wrote: each is a block of the reply and an iteration of its usage. */
function compactionsIn({ content, usage, model }: Message): WrittenSummary[] {
  const used = callsIn(usage).filter((call): call is UsageIteration => 'type' in call && call.type === 'compaction')
  const blocks = content.filter((block) => block.type === 'compaction')
  return blocks.flatMap(({ content: text }, index): WrittenSummary[] => {
    const iteration = used[index]
    if (iteration === undefined) return []
    const { type: _, model: __, ...tokens } = iteration
    const terms = { speed: usage.speed ?? null, inference_geo: usage.inference_geo ?? null }
    const cost = replyCost({ usage: { ...terms, service_tier: usage.service_tier ?? null, ...tokens }, model }, false)
    return [{ by: 'api', text: text ?? undefined, usage: tokens, cost }]
  })
}
