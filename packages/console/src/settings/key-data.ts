import { call } from '../api/http.ts'

/** A key for programs, as `GET /admin/keys` returns it. */
export interface KeyJson {
  id: string
  name: string
  /** The end of the secret. */
  hint: string
  expires_at: string | null
  revoked_at: string | null
  last_used_at: string | null
  budgets: (NewBudget & { spent_usd: string })[]
}

/** The most that a key may spend, in US dollars; with `each`, that each user of it may. */
export interface NewBudget {
  usd: string
  per: 'day' | 'month' | 'total'
  each?: string
}

/** The settings of a new key. */
export interface NewKey {
  name: string
  budgets?: NewBudget[]
}

export async function loadKeys(): Promise<KeyJson[]> {
  return (await call<{ data: KeyJson[] }>('GET', 'admin/keys')).data
}

export function loadKey(id: string): Promise<KeyJson> {
  return call<KeyJson>('GET', `admin/keys/${encodeURIComponent(id)}`)
}

/** Creates a key. Its secret is in this response and in no other. */
export function createKey(key: NewKey): Promise<KeyJson & { secret: string }> {
  return call('POST', 'admin/keys', key)
}

/** Replaces the budgets of a key. */
export async function changeBudgets(id: string, budgets: NewBudget[]): Promise<void> {
  await call('POST', `admin/keys/${encodeURIComponent(id)}`, { budgets })
}

export async function revokeKey(id: string): Promise<void> {
  await call('POST', `admin/keys/${encodeURIComponent(id)}/revoke`, {})
}
