import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { call } from '../../../api/http.ts'
import type { CostLineJson, ReplyCostJson } from '../../../api/types.ts'
import { moneyText } from '../../../format.ts'
import { useLoaded } from '../../../shell/parts/loaded.tsx'

const names: Record<CostLineJson['bucket'], string> = {
  input: 'Input',
  cacheWrite5m: 'Cache write, 5 minutes',
  cacheWrite1h: 'Cache write, 1 hour',
  cacheRead: 'Cache read',
  output: 'Output',
  serverTools: 'Searches',
}

/** The arithmetic of a reply's cost, line by line. */
export function CostLines({ chatId, messageId }: { chatId: string; messageId: string }): VNode {
  const path = `api/conversations/${encodeURIComponent(chatId)}/messages/${encodeURIComponent(messageId)}/cost`
  const { value, placeholder } = useLoaded(() => call<ReplyCostJson>('GET', path), [path])
  const lines = useRef<HTMLDivElement>(null)
  useEffect(() => lines.current?.scrollIntoView({ block: 'nearest' }), [value])
  return (
    <div class="scroll lines" tabIndex={0} role="group" aria-label="Cost" ref={lines}>
      {value ? <Table cost={value} /> : placeholder}
    </div>
  )
}

function Table({ cost: { lines, total, price, estimated, model } }: { cost: ReplyCostJson }): VNode {
  return (
    <table class="why">
      <tbody>
        {lines.map(({ bucket, count, priceUsd, cost }) => (
          <tr key={bucket}>
            <th scope="row">{names[bucket]}</th>
            <td class="right">{count.toLocaleString('en')}</td>
            <td class="soft">
              × ${priceUsd} {bucket === 'serverTools' ? 'each' : 'per million'}
            </td>
            <td class="right">{moneyText(cost.usd)}</td>
          </tr>
        ))}
        <tr>
          <th scope="row">Total{estimated ? ' (estimated: the reply was cut off)' : ''}</th>
          <td colSpan={2} class="soft">
            {price ? `prices of ${price.from}` : `${model} has no known price`}
          </td>
          <td class="right">{total ? moneyText(total.usd) : '–'}</td>
        </tr>
      </tbody>
    </table>
  )
}
