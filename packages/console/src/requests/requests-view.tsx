import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { chats } from '../chat/list/chats.ts'
import { durationText, moneyText, timeText, tokenText } from '../format.ts'
import { zoneOf } from '../settings/preferences.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { filters, route, setFilters } from '../shell/router.ts'
import { addDays, startOf } from '../usage/periods.ts'
import { type RequestJson, inputTokens, isFailed, loadRequests } from './request-data.ts'
import { RequestDetail } from './request-detail.tsx'

const pageSize = 50

/** Every request, the newest first, with filters that are kept in the address. */
export function RequestsView(): VNode {
  const id = route.value.name === 'requests' ? route.value.id : undefined
  return (
    <main id="main" class="view" tabIndex={-1}>
      <h1>{id ? 'Request' : 'Requests'}</h1>
      {id ? <RequestDetail id={id} /> : <RequestList />}
    </main>
  )
}

function RequestList(): VNode {
  const search = searchOf(filters.value)
  const later = useSignal<RequestJson[]>([])
  const next = useSignal<string | null>(null)
  const { value, placeholder, reload } = useLoaded(() => loadRequests(search), [search.toString()])
  useEffect(() => {
    later.value = []
    next.value = value?.next ?? null
  }, [value])
  const loadMore = async (): Promise<void> => {
    search.set('before', next.value ?? '')
    const page = await loadRequests(search)
    later.value = [...later.value, ...page.data]
    next.value = page.next
  }
  const rows = [...(value?.data ?? []), ...later.value]
  return (
    <>
      <ListFilters reload={reload} />
      {!value && placeholder}
      {value && rows.length === 0 && <NoRequests />}
      {rows.length > 0 && <RequestTable rows={rows} />}
      {next.value && (
        <p class="center">
          <button type="button" onClick={() => void loadMore()}>
            Show more
          </button>
        </p>
      )}
    </>
  )
}

/** The parameters of the API for the filters of the address. A `day` is a day of the zone that the charts use. */
function searchOf(address: URLSearchParams): URLSearchParams {
  const search = new URLSearchParams({ limit: String(pageSize) })
  for (const name of ['model', 'key', 'user', 'conversation', 'outcome', 'source']) {
    const value = address.get(name)
    if (value) search.set(name, value)
  }
  const day = address.get('day')
  if (day && /^\d{4}-\d\d-\d\d$/.test(day)) {
    search.set('since', startOf(day, zoneOf()).toISOString())
    search.set('until', startOf(addDays(day, 1), zoneOf()).toISOString())
  }
  return search
}

function ListFilters({ reload }: { reload: () => void }): VNode {
  const fields = { model: 'Model', key: 'Key', user: 'User', conversation: 'Chat' }
  return (
    <div class="filters">
      <label>
        <span>Day</span>
        <input
          type="date"
          value={filters.value.get('day') ?? ''}
          onChange={({ currentTarget }) => setFilters({ day: currentTarget.value })}
        />
      </label>
      <label>
        <span>Outcome</span>
        <select
          value={filters.value.get('outcome') ?? ''}
          onChange={({ currentTarget }) => setFilters({ outcome: currentTarget.value })}
        >
          <option value="">All</option>
          <option value="ok">Succeeded</option>
          <option value="failed">Failed</option>
          <option value="aborted">Stopped by the client</option>
        </select>
      </label>
      {Object.entries(fields).map(([name, label]) => (
        <label key={name}>
          <span>{label}</span>
          <input
            value={filters.value.get(name) ?? ''}
            onChange={({ currentTarget }) => setFilters({ [name]: currentTarget.value.trim() })}
          />
        </label>
      ))}
      <button type="button" onClick={reload}>
        Refresh
      </button>
    </div>
  )
}

function NoRequests(): VNode {
  const isFiltered = filters.value.size > 0
  return (
    <div class="empty">
      <p>
        {isFiltered
          ? 'No request matches these filters.'
          : 'No requests yet. Start a chat, or point a program at this server.'}
      </p>
      {isFiltered && (
        <p>
          <a class="button" href="requests">
            Clear filters
          </a>
        </p>
      )}
    </div>
  )
}

function RequestTable({ rows }: { rows: readonly RequestJson[] }): VNode {
  const headings = ['Time', 'Status', 'Model', 'In', 'Cached', 'Out', 'First token', 'Total', 'Cost', 'Key', 'Chat']
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Requests">
      <table class="cards">
        <thead>
          <tr>
            {headings.map((heading, index) => (
              <th key={heading} scope="col" class={index > 2 && index < 9 ? 'right' : undefined}>
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <RequestRow key={row.id} row={row} headings={headings} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The title of a chat, or the end of its id: the beginning is its time, which chats of one day share. */
function chatName(id: string): string {
  return chats.value?.find((chat) => chat.id === id)?.title?.slice(0, 40) ?? id.slice(-6)
}

function RequestRow({ row, headings }: { row: RequestJson; headings: readonly string[] }): VNode {
  const cells = [
    tokenText(inputTokens(row)),
    tokenText(row.tokens.cache_read),
    tokenText(row.tokens.output),
    row.ttft_ms === null ? '–' : durationText(row.ttft_ms),
    durationText(row.ms),
    row.usd === null ? 'no price' : `${row.estimated ? '≈' : ''}${moneyText(row.usd)}`,
  ]
  return (
    <tr>
      <th scope="row" data-label="Time">
        <a href={`requests/${encodeURIComponent(row.id)}`}>{timeText(row.started_at)}</a>
      </th>
      <td data-label="Status" class={isFailed(row) ? 'status-bad' : undefined}>
        <span class={`dot ${isFailed(row) ? 'bad' : 'ok'}`} aria-hidden="true" />
        {row.status}
        {row.error_type ? ` ${row.error_type}` : ''}
      </td>
      <td data-label="Model">{row.served_model ?? row.model ?? row.path}</td>
      {cells.map((text, index) => (
        <td key={headings[index + 3]} data-label={headings[index + 3]} class="right">
          {text}
        </td>
      ))}
      <td data-label="Key">{row.key ?? '–'}</td>
      <td data-label="Chat">
        {row.conversation ? (
          <a href={`c/${encodeURIComponent(row.conversation)}`}>{chatName(row.conversation)}</a>
        ) : (
          '–'
        )}
      </td>
    </tr>
  )
}
