import type { Message, Usage } from '../../protocol/types/message.ts'
import type { SentPart } from '../history/history.ts'
import { type ReplyCost, replyCost } from '../money/ledger.ts'

/** A summary that was written in the course of a turn. */
export interface WrittenSummary {
  /** `turn`: by a call of its own, before the one of the reply. `api`: by the API, as a part of the reply. */
  by: 'turn' | 'api'
  /** Undefined where the API wrote it so that only it can read it. */
  text: string | undefined
  usage: Pick<Usage, 'input_tokens' | 'cache_creation_input_tokens' | 'cache_read_input_tokens' | 'output_tokens'>
  /** Of the call, beside the reply's; of what the API wrote, in the reply's. Undefined: no known price. */
  cost: ReplyCost | undefined
}

/** What became of the messages that the window had no room for. */
export interface WindowReport {
  /** How many of the first messages of the path were not sent. */
  dropped: number
  /** The summaries that were written in the course of the turn, and what they cost. */
  summaries: readonly WrittenSummary[]
}

/** Undefined where all of the path was sent. */
export function windowReport(
  { dropped }: SentPart,
  message: Message,
  written: readonly WrittenSummary[],
): WindowReport | undefined {
  const summaries = [...written, ...compactionsIn(message)]
  return dropped === 0 && summaries.length === 0 ? undefined : { dropped, summaries }
}

/** What the API wrote for a reply: each compaction is one of its blocks, and one of the iterations of its usage. */
function compactionsIn({ content, usage, model }: Message): WrittenSummary[] {
  const used = (usage.iterations ?? []).filter(({ type }) => type === 'compaction')
  const blocks = content.filter((block) => block.type === 'compaction')
  return blocks.flatMap(({ content: text }, index): WrittenSummary[] => {
    const iteration = used[index]
    if (iteration === undefined) return []
    const { type: _, ...tokens } = iteration
    const terms = { speed: usage.speed ?? null, inference_geo: usage.inference_geo ?? null }
    const cost = replyCost({ usage: { ...terms, service_tier: usage.service_tier ?? null, ...tokens }, model }, false)
    return [{ by: 'api', text: text ?? undefined, usage: tokens, cost }]
  })
}
