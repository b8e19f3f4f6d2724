import type { Message } from '../../protocol/types/message.ts'
import type { SentPart } from '../history/history.ts'
import { replyCost } from '../money/ledger.ts'
import type { WrittenSummary } from './summary.ts'

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
