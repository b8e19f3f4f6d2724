import { decimalUsd } from 'colloquy/protocol'
import type { KeyRecord } from './keys/keys.ts'
import type { SpentBudget } from './key-spending.ts'

/** A key as the admin API and `colloquy keys --json` write it. */
export function keyObject(key: KeyRecord, spending: readonly SpentBudget[] = []): object {
  const { id, name, workspace, isAdmin, hint, settings } = key
  const { models: allowed = null, limits: allowedRates = {} } = settings
  return {
    type: 'access_key',
    id,
    name,
    workspace,
    is_admin: isAdmin,
    hint,
    created_at: dateOf(key.createdAt),
    expires_at: dateOf(key.expiresAt),
    revoked_at: dateOf(key.revokedAt),
    last_used_at: dateOf(key.lastUsedAt),
    models: allowed,
    limits: allowedRates,
    budgets: spending.map(({ budget, spent, reserved }) => {
      return { each: 'key', ...budget, spent_usd: decimalUsd(spent), reserved_usd: decimalUsd(reserved) }
    }),
  }
}

function dateOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
