import type { VNode } from 'preact'
import { byteText, dateTimeText, durationText } from '../format.ts'
import { Code } from '../markdown/code-block.tsx'
import { copyText } from '../shell/copy.ts'
import { Facts } from '../shell/parts/facts.tsx'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { type RequestJson, loadRequest } from './request-data.ts'

/** Everything that the ledger has of a request. Bodies are not in it; those of chats are in the chat. */
export function RequestDetail({ id }: { id: string }): VNode {
  const { value, placeholder } = useLoaded(() => loadRequest(id), [id])
  if (!value) return placeholder
  const json = JSON.stringify(value, null, 2)
  return (
    <>
      <p>
        <a href="requests">‹ All requests</a>
      </p>
      <div class="charts">
        <section class="group" aria-label="Summary">
          <Facts rows={summaryOf(value)} />
          {value.conversation && (
            <p>
              <a class="button" href={`c/${encodeURIComponent(value.conversation)}`}>
                Open the chat
              </a>
            </p>
          )}
        </section>
        <section class="group" aria-label="Tokens and cost">
          <Facts rows={costOf(value)} />
          <Timeline request={value} />
        </section>
      </div>
      <section class="group" aria-labelledby="raw">
        <div class="row">
          <h2 id="raw" class="grow">
            Raw
          </h2>
          <button type="button" onClick={() => void copyText(json, 'Request copied')}>
            Copy JSON
          </button>
        </div>
        <pre class="json" tabIndex={0}>
          <Code language="json" code={json} />
        </pre>
        <p class="soft small">
          Bodies are not in the ledger. The request of a chat is in its inspector; the server writes those of programs
          to its log with <code>--log full</code>.
        </p>
      </section>
    </>
  )
}

function modelText({ model, served_model: served }: RequestJson): string {
  const isSame = served === null || model === served
  return isSame ? (model ?? '–') : `${model}, served by ${served}`
}

function summaryOf(request: RequestJson): [string, string][] {
  return [
    ['Request', request.id],
    ['Time', dateTimeText(request.started_at)],
    ['Status', `${request.status}${request.error_type ? ` ${request.error_type}` : ''}`],
    ['Stop reason', request.stop_reason ?? '–'],
    ['Path', request.path],
    ['Model', modelText(request)],
    ['Engine', request.engine ?? '–'],
    ['Source', request.source],
    ['Key', request.key ?? '–'],
    ['User', request.user_id ?? '–'],
    ['Attempts', String(request.attempts)],
    ['Bytes', `${byteText(request.request_bytes)} in, ${byteText(request.response_bytes)} out`],
  ]
}

function costOf({ tokens, usd, saved_usd: saved, price, estimated }: RequestJson): [string, string][] {
  const count = (value: number): string => value.toLocaleString('en')
  return [
    ['Input', count(tokens.input)],
    ['Cache write, 5 minutes', count(tokens.cache_write_5m)],
    ['Cache write, 1 hour', count(tokens.cache_write_1h)],
    ['Cache read', count(tokens.cache_read)],
    ['Output', count(tokens.output)],
    ['Cost', usd === null ? 'no price' : `${estimated ? '≈' : ''}$${usd}`],
    ['Saved by the cache', `$${saved}`],
    ['Price', price ?? '–'],
  ]
}

/** The time until the first token and the time of the rest, as two bars. */
function Timeline({ request: { ttft_ms: first, ms } }: { request: RequestJson }): VNode {
  const share = ms === 0 || first === null ? 0 : (first / ms) * 100
  const label = `${first === null ? 'No token arrived' : `First token after ${durationText(first)}`}, end after ${durationText(ms)}`
  return (
    <figure>
      <svg width="100%" height="16" role="img" aria-label={label}>
        <rect width="100%" height="16" rx="4" class="series-1" />
        <rect width={`${share}%`} height="16" rx="4" class="series-4" />
      </svg>
      <figcaption class="soft small">{label}</figcaption>
    </figure>
  )
}
