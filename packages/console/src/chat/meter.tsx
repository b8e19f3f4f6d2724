import type { VNode } from 'preact'
import { moneyText, tokenText } from '../format.ts'
import { modelNamed } from './models.ts'
import type { OpenChat } from './open-chat.ts'

/** How full the window of the model is, and how much of the budget is used. */
export function Meter({ chat }: { chat: OpenChat }): VNode {
  const { settings, usage } = chat.info.value
  const window = modelNamed(settings.model)?.contextTokens
  const last = chat.messages.value.findLast((message) => message.usage)?.usage
  const used = last
    ? last.input_tokens +
      (last.cache_read_input_tokens ?? 0) +
      (last.cache_creation_input_tokens ?? 0) +
      last.output_tokens
    : 0
  const budget = settings.budget?.usd
  return (
    <>
      {window ? (
        <Gauge label="Context" value={used} max={window} text={`${tokenText(used)} of ${tokenText(window)} tokens`} />
      ) : undefined}
      {budget ? (
        <Gauge
          label="Budget"
          value={Number(usage.cost.usd)}
          max={budget}
          text={`${moneyText(usage.cost.usd)} of ${moneyText(budget)}`}
        />
      ) : undefined}
    </>
  )
}

function Gauge({ label, value, max, text }: { label: string; value: number; max: number; text: string }): VNode {
  return (
    <span class="gauge small soft" title={`${label}: ${text}`}>
      <meter aria-label={`${label}: ${text}`} min={0} max={max} high={max * 0.8} value={value} />
    </span>
  )
}
