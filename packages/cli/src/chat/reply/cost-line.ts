import { formatUsd, tokenCounts, type Usage } from 'colloquy/protocol'
import { durationText, tokenText } from '../../format.ts'

/** The figures for the line below a reply. */
export interface TurnFigures {
  model: string
  usage: Usage
  /** The usage of the last request, if there were several. */
  lastUsage?: Usage
  /** Undefined if the model has no known price. */
  cost: { picoUsd: bigint } | undefined
  /** The final usage is missing, so the output tokens are an estimate. */
  isEstimated: boolean
  /** The offline engine replied, so the cost is nothing. */
  isLocal: boolean
  /** The most tokens of the chat; undefined if not known. */
  window: number | undefined
  /** From the request to the end of the reply. */
  ms: number
  /** From the first token to the last. */
  writingMs: number
  /** The cost of the whole chat so far. `unpriced` counts requests without a known price. */
  chat: { picoUsd: bigint; estimated: boolean; unpriced: number }
}

/** The line below a reply: tokens by bucket, time, speed, cost, and how full the window is. */
export function costLine(figures: TurnFigures, style: 'short' | 'full'): string {
  const parts = [priceText(figures), chatText(figures)].filter((part) => part !== '')
  if (style === 'short') return parts.join(' · ')
  const { usage, isEstimated, ms } = figures
  const output = `${isEstimated ? '≈ ' : ''}${tokenText(usage.output_tokens)} out`
  return [inputText(usage), output, durationText(ms), speedText(figures), ...parts, contextText(figures)]
    .filter((part) => part !== '')
    .join(' · ')
}

/** The short form for a reply that was stopped. */
export function stoppedFigures({ usage, cost, isLocal }: TurnFigures): string {
  const output = `≈ ${tokenText(usage.output_tokens)} out`
  return isLocal || cost === undefined ? output : `${output} · ≈ ${formatUsd(cost.picoUsd)}`
}

/** The tokens of the prompt and the reply together. They are the beginning of the next prompt. */
export function totalTokens(usage: Usage): number {
  return Object.values(tokenCounts(usage)).reduce((sum, count) => sum + count, 0)
}

function inputText(usage: Usage): string {
  const { input, cacheRead, cacheWrite5m, cacheWrite1h } = tokenCounts(usage)
  const cached = [
    cacheRead > 0 ? `${tokenText(cacheRead)} cached` : '',
    cacheWrite5m > 0 ? `${tokenText(cacheWrite5m)} written` : '',
    cacheWrite1h > 0 ? `${tokenText(cacheWrite1h)} written for 1 h` : '',
  ].filter((part) => part !== '')
  return `${tokenText(input)} in${cached.length > 0 ? ` (${cached.join(', ')})` : ''}`
}

function speedText({ usage, writingMs }: TurnFigures): string {
  // In less than a tenth of a second the speed cannot be measured.
  return writingMs < 100 ? '' : `${Math.round(usage.output_tokens / (writingMs / 1000))} tok/s`
}

function priceText({ cost, model, isLocal, isEstimated }: TurnFigures): string {
  if (isLocal) return 'local'
  if (cost === undefined) return `no price for ${model}`
  return `${isEstimated ? '≈ ' : ''}${formatUsd(cost.picoUsd)}`
}

function chatText({ chat, isLocal }: TurnFigures): string {
  if (isLocal) return ''
  const unpriced = chat.unpriced > 0 ? ` + ${chat.unpriced} without a price` : ''
  return `chat ${chat.estimated ? '≈ ' : ''}${formatUsd(chat.picoUsd)}${unpriced}`
}

function contextText({ window, usage, lastUsage = usage }: TurnFigures): string {
  if (window === undefined) return ''
  const share = (totalTokens(lastUsage) / window) * 100
  return `context ${share < 1 ? '<1' : Math.round(share)}%`
}
