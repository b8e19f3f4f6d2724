import type { VNode } from 'preact'
import { countText, durationText, moneyText } from '../format.ts'
import type { UsageSums } from './usage-data.ts'

/** The figures of the period, large, with the change since the period before it. */
export function Tiles({ total, previous }: { total: UsageSums; previous: UsageSums }): VNode {
  const { usd, estimated, requests, failed, saved_usd: saved, latency, first_event: first, unpriced } = total
  const failedShare = requests === 0 ? 0 : (failed / requests) * 100
  const tiles: [label: string, value: string, detail: string][] = [
    ['Cost', `${estimated.requests > 0 ? '≈' : ''}${moneyText(usd)}`, change(Number(usd), Number(previous.usd))],
    ['Requests', requests.toLocaleString('en'), change(requests, previous.requests)],
    ['Failed', `${failedShare.toFixed(1)} %`, `${failed} of ${requests}`],
    ['Saved by the cache', moneyText(saved), 'against uncached input'],
    [
      'Time, p95',
      latency.p95_ms === null ? '–' : durationText(latency.p95_ms),
      first.p95_ms === null ? 'to the end of the reply' : `first token ${durationText(first.p95_ms)}`,
    ],
  ]
  return (
    <>
      <ul class="tiles">
        {tiles.map(([label, value, detail]) => (
          <li key={label}>
            <span class="soft small">{label}</span>
            <strong>{value}</strong>
            <span class="soft small">{detail || '\u00a0'}</span>
          </li>
        ))}
      </ul>
      {estimated.requests > 0 && (
        <p class="soft small">
          ≈ includes {estimated.requests} {estimated.requests === 1 ? 'reply' : 'replies'} that ended early (about{' '}
          {moneyText(estimated.usd)}).
        </p>
      )}
      {unpriced > 0 && (
        <p class="soft small">
          {countText(unpriced, 'request')} went to models without a known price and are not in the cost.
        </p>
      )}
    </>
  )
}

function change(now: number, before: number): string {
  if (before === 0) return ''
  const percent = Math.round((now / before - 1) * 100)
  return `${percent >= 0 ? '+' : '−'}${Math.abs(percent)} % on the period before`
}
