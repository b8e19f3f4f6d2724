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
  budgets: { usd: string; per: 'day' | 'month' | 'total'; spent_usd: string }[]
}

/** The settings of a new key. */
export interface NewKey {
  name: string
  budgets?: { usd: string; per: string }[]
}

export async function loadKeys(): Promise<KeyJson[]> {
  return (await call<{ data: KeyJson[] }>('GET', '/admin/keys')).data
}

/** Creates a key. Its secret is in this response and in no other. */
export function createKey(key: NewKey): Promise<KeyJson & { secret: string }> {
  return call('POST', '/admin/keys', key)
}

export async function revokeKey(id: string): Promise<void> {
  await call('POST', `/admin/keys/${encodeURIComponent(id)}/revoke`, {})
}
