import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PathMessageJson } from '../../../api/types.ts'
import { durationText, moneyText, tokenText } from '../../../format.ts'
import { modelNamed } from '../../models.ts'
import type { OpenChat } from '../../open-chat.ts'
import { CostLines } from './cost-lines.tsx'

/** `1.2k in · 900 out · $0.0329`, and the arithmetic behind it. */
export function CostLine({ chat, message }: { chat: OpenChat; message: PathMessageJson }): VNode | undefined {
  const [isOpen, setOpen] = useState(false)
  const { usage, costUsd, estimated } = message
  // A reply that was imported has no counts.
  if (!usage || (usage.output_tokens === 0 && costUsd === undefined)) return undefined
  const time = message.timing?.totalMs ?? chat.times.get(message.id)
  const cached = usage.cache_read_input_tokens ?? 0
  const parts = [
    `${tokenText(usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0))} in`,
    ...(cached > 0 ? [`${tokenText(cached)} cached`] : []),
    `${tokenText(usage.output_tokens)} out`,
    ...(time === undefined ? [] : [durationText(time)]),
  ]
  if (costUsd === undefined && modelNamed(message.model)?.isLocal) {
    return <div class="cost">{[...parts, 'on this machine'].join(' · ')}</div>
  }
  return (
    <>
      <div class="cost">
        <span>{parts.join(' · ')} · </span>
        <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {costUsd === undefined ? 'no price' : `${estimated ? '≈' : ''}${moneyText(costUsd)}`} <span>why?</span>
        </button>
      </div>
      {isOpen && <CostLines chatId={chat.id} messageId={message.id} />}
    </>
  )
}
