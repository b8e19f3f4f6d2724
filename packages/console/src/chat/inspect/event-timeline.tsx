import type { VNode } from 'preact'
import type { ExchangeJson } from '../../api/types.ts'
import { durationText } from '../../format.ts'

type Trace = NonNullable<ExchangeJson['trace']>

/** When each event of a reply arrived: its time, its type, and a bar up to the next one. */
export function EventTimeline({ trace: { events, ms } }: { trace: Trace }): VNode {
  const total = Math.max(1, ms)
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Events">
      <table class="events">
        <thead>
          <tr>
            <th scope="col" class="right">
              After
            </th>
            <th scope="col">Event</th>
            <th scope="col">
              <span class="visually-hidden">Place in the time of the request</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map(([at, type, count, characters], index) => {
            const until = events[index + 1]?.[0] ?? ms
            return (
              <tr key={index}>
                <td class="right soft">{durationText(at)}</td>
                <td>
                  {type}
                  {count !== undefined && (
                    <span class="soft">
                      {count > 1 && ` × ${count}`}
                      {!!characters && `, ${characters.toLocaleString('en')} characters`}
                    </span>
                  )}
                </td>
                <td class="place" aria-hidden="true">
                  <span
                    style={{
                      marginInlineStart: `${(at / total) * 100}%`,
                      width: `${Math.max(0, (until - at) / total) * 100}%`,
                    }}
                  />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
