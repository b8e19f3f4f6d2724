import { call } from '../api/http.ts'

/** A request in the ledger, as `GET /admin/requests` returns it. */
export interface RequestJson {
  id: string
  started_at: string
  key: string | null
  user_id: string | null
  conversation: string | null
  source: string
  engine: string | null
  path: string
  /** Null if the request was refused before its model was known. */
  model: string | null
  served_model: string | null
  tokens: { input: number; cache_write_5m: number; cache_write_1h: number; cache_read: number; output: number }
  /** Null: no price is known. */
  usd: string | null
  saved_usd: string
  price: string | null
  estimated: boolean
  status: number
  error_type: string | null
  stop_reason: string | null
  ttft_ms: number | null
  ms: number
  request_bytes: number
  response_bytes: number
  attempts: number
}

export interface RequestsPage {
  data: RequestJson[]
  has_more: boolean
  next: string | null
}

export function loadRequests(search: URLSearchParams): Promise<RequestsPage> {
  return call<RequestsPage>('GET', `admin/requests?${search.toString()}`)
}

export function loadRequest(id: string): Promise<RequestJson> {
  return call<RequestJson>('GET', `admin/requests/${encodeURIComponent(id)}`)
}

/** Whether the request failed. A client that left is not a failure. */
export function isFailed({ status }: RequestJson): boolean {
  return status >= 400 && status !== 499
}

/** All tokens of the prompt, cached ones included. */
export function inputTokens({ tokens }: RequestJson): number {
  return tokens.input + tokens.cache_write_5m + tokens.cache_write_1h + tokens.cache_read
}
