import { findModel, formatUsd, tokenCounts, type Usage } from 'colloquy/protocol'

/** What the line under a reply tells. */
export interface TurnFigures {
  model: string
  usage: Usage
  /** Undefined where the model has no known price. */
  cost: { picoUsd: bigint } | undefined
  /** No final usage came: the output is counted by estimate. */
  isEstimated: boolean
  /** Nobody is paid: the offline engine answered. */
  isLocal: boolean
  /** From the question to the end of the reply. */
  ms: number
  /** From the first token to the last. */
  writingMs: number
  /** The whole chat so far. */
  chat: { picoUsd: bigint; estimated: boolean; unpriced: number }
}

/** Tokens by bucket, time, speed, dollars, how full the window is. The buckets are never added together. */
export function costLine(figures: TurnFigures, style: 'short' | 'full'): string {
  const parts = [priceText(figures), chatText(figures)].filter((part) => part !== '')
  if (style === 'short') return parts.join(' · ')
  const { usage, isEstimated, ms } = figures
  const output = `${isEstimated ? '≈ ' : ''}${tokens(usage.output_tokens)} out`
  return [inputText(usage), output, seconds(ms), speedText(figures), ...parts, contextText(figures)]
    .filter((part) => part !== '')
    .join(' · ')
}

/** What is known of a reply that was stopped. */
export function stoppedFigures({ usage, cost, isLocal }: TurnFigures): string {
  const output = `≈ ${tokens(usage.output_tokens)} out`
  return isLocal || cost === undefined ? output : `${output} · ≈ ${formatUsd(cost.picoUsd)}`
}

/** `930`, `1.2k`, `15k`, `1.0M`. */
export function tokens(count: number): string {
  if (count < 1000) return String(count)
  if (count < 9950) return `${(count / 1000).toFixed(1)}k`
  if (count < 999_500) return `${Math.round(count / 1000)}k`
  return `${(count / 1e6).toFixed(1)}M`
}

/** The prompt's and the reply's: what the next prompt begins with. */
export function tokensOf(usage: Usage): number {
  return Object.values(tokenCounts(usage)).reduce((sum, count) => sum + count, 0)
}

export function seconds(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

function inputText(usage: Usage): string {
  const { input, cacheRead, cacheWrite5m, cacheWrite1h } = tokenCounts(usage)
  const cached = [
    cacheRead > 0 ? `${tokens(cacheRead)} cached` : '',
    cacheWrite5m > 0 ? `${tokens(cacheWrite5m)} written` : '',
    cacheWrite1h > 0 ? `${tokens(cacheWrite1h)} written for 1 h` : '',
  ].filter((part) => part !== '')
  return `${tokens(input)} in${cached.length > 0 ? ` (${cached.join(', ')})` : ''}`
}

function speedText({ usage, writingMs }: TurnFigures): string {
  // Below a tenth of a second the figure would be about the clock, not the model.
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

function contextText({ model, usage }: TurnFigures): string {
  const window = findModel(model)?.contextTokens
  if (window === undefined) return ''
  const share = (tokensOf(usage) / window) * 100
  return `context ${share < 1 ? '<1' : Math.round(share)}%`
}
