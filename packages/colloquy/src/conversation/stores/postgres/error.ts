import { BudgetError, StoreError, type StoreErrorCode } from '../../errors.ts'
import { limitName } from '../../money/spending.ts'
import type { Account, Amounts } from '../store.ts'

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const codes: Readonly<Record<string, StoreErrorCode>> = { '53100': 'full', '25006': 'read_only', '55P03': 'locked' }

/**
 * Turns an error of the database into a `BudgetError`, if the function `enter` raised it, or a `StoreError`.
 *
 * @param doing the end of the error message "Cannot …".
 */
export function storeError(error: unknown, doing: string): BudgetError | StoreError {
  const message = messageOf(error)
  const [, refusal] = /colloquy: over the limit (\{.*\})/.exec(message) ?? []
  if (refusal !== undefined) return budgetError(refusal)
  return new StoreError(codes[codeOf(error)] ?? 'failed', `Cannot ${doing}: ${message}`, { cause: error })
}

/** The database did not answer in time. */
export class LateError extends Error {}

/** Whether the connection was lost, so that it is not known whether the statement happened: the database can be asked. */
function isLost(error: unknown): boolean {
  const cause = error instanceof StoreError ? error.cause : undefined
  const isAnswer = /^(?=.*\d)[0-9A-Z]{5}$/.test(codeOf(cause))
  return cause instanceof Error && !(cause instanceof LateError) && !isAnswer
}

/** Whether the database is not there at the moment: the connection was lost, or it stops, starts or has no connection left. */
export function isAway(error: unknown): boolean {
  return isLost(error) || (error instanceof StoreError && /^(57P0[123]|08\w{3}|53300)$/.test(codeOf(error.cause)))
}

/** The code of an error of the driver or the database; `undefined` as text if it has none. */
export function codeOf(error: unknown): string {
  return String(((error ?? {}) as { code?: unknown }).code)
}

/** The message of an error; of several, if a host has several addresses and none can be reached. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ')
  return error instanceof Error && error.message !== '' ? error.message : String(error)
}

function budgetError(json: string): BudgetError {
  const { user, day, unit, ...found } = JSON.parse(json) as Account & { unit: keyof Amounts } & Record<string, string>
  const amount = (name: string): bigint => BigInt(found[name]!)
  return new BudgetError(limitName({ user, day }, unit), {
    allowed: amount('allowed'),
    spent: amount('spent'),
    held: amount('held'),
    worst: amount('worst'),
  })
}
