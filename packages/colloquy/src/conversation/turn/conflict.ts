import { APIUserAbortError } from '../../protocol/types/error.ts'
import { BudgetError, ConversationConflictError } from '../errors.ts'
import type { TurnScope } from './scope.ts'

/** How a turn handles a conflict: another writer changed the conversation, or a reply is still being received. */
export type OnConflict = 'fail' | 'queue' | 'branch'

/** How often a queued turn looks whether another process's reply has ended. */
const pollMs = 100

/**
 * Starts a turn once this process runs no other turn of the conversation, unless the policy is to branch off from it. Returns
 * the function that ends the turn.
 */
export function takeTurn(scope: TurnScope, onConflict: OnConflict): (() => void) | Promise<() => void> {
  const { state } = scope
  return state.ownTurns.isEmpty ? state.ownTurns.start() : takeNextTurn(scope, onConflict)
}

async function takeNextTurn({ state, control }: TurnScope, onConflict: OnConflict): Promise<() => void> {
  const { ownTurns } = state
  while (!ownTurns.isEmpty && onConflict !== 'branch') {
    if (onConflict === 'fail') throw state.conflict('busy')
    await unlessAborted(control.signal, ownTurns.nextEnd)
  }
  return ownTurns.start()
}

/**
 * Begins a step of a turn, and retries as long as the policy says so.
 *
 * @param begin begins the step in the conversation as it is known now, which no other turn changes in the meantime.
 * @param prepare runs before that.
 */
export async function beginWithRetries<Begun>(
  scope: TurnScope,
  onConflict: OnConflict,
  begin: () => Promise<Begun>,
  prepare?: () => Promise<void> | undefined,
): Promise<Begun> {
  const { state, control } = scope
  const { signal } = control
  for (let hasRefreshed = false; ;) {
    if (signal.aborted) throw new APIUserAbortError({ cause: signal.reason })
    if (!state.finishes.isEmpty) await state.finishUnrecorded()
    if (isBusy(scope)) await state.refresh()
    try {
      if (isBusy(scope) && onConflict !== 'branch') throw state.conflict('busy')
      const preparing = prepare?.()
      if (preparing !== undefined) await preparing
      const entering = state.changes.enter()
      if (entering !== undefined) await entering
      try {
        return await begin()
      } finally {
        state.changes.leave()
      }
    } catch (error) {
      const move = nextMove(error, { onConflict, hasRefreshed })
      if (move === 'wait') await waitForOthers(state, signal)
      if (move === 'refresh' || move === 'refresh and fail') await state.refresh()
      if (move === 'fail' || move === 'refresh and fail') throw error
      hasRefreshed ||= error instanceof BudgetError
    }
  }
}

/** Whether another turn is receiving a reply or runs its tools, as far as this process knows. */
function isBusy({ state, lease }: TurnScope): boolean {
  return state.isReceiving || runsOtherTools({ state, lease })
}

/** Whether another turn runs its tools, as far as this process knows. */
export function runsOtherTools({ state, lease }: Pick<TurnScope, 'state' | 'lease'>): boolean {
  for (const number of state.toolReplies) if (!lease.has(number)) return true
  return false
}

export type NextMove = 'wait' | 'refresh' | 'refresh and fail' | 'fail'

/** Decides how to continue after a step could not begin. */
export function nextMove(
  error: unknown,
  { onConflict, hasRefreshed }: { onConflict: OnConflict; hasRefreshed: boolean },
): NextMove {
  if (error instanceof ConversationConflictError) {
    if (error.reason === 'busy') return onConflict === 'queue' ? 'wait' : 'fail'
    return onConflict === 'fail' ? 'refresh and fail' : 'refresh'
  }
  return mayHaveRoom(error) && !hasRefreshed ? 'refresh' : 'fail'
}

/** A request that counts here as in flight may have ended in another process, and cost less than its reservation. */
function mayHaveRoom(error: unknown): boolean {
  return error instanceof BudgetError && (error.limit === 'usd' || error.limit === 'tokens') && error.held > 0n
}

/** Waits a moment for a reply that another process is receiving, and looks again. */
export async function waitForOthers(state: TurnScope['state'], signal: AbortSignal): Promise<void> {
  await unlessAborted(signal, new Promise((resolve) => setTimeout(resolve, pollMs)))
  await state.refresh()
}

/** Waits for a promise. Throws `APIUserAbortError` as soon as the signal aborts. */
async function unlessAborted(signal: AbortSignal, done: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  signal.addEventListener('abort', resolve, { once: true })
  await Promise.race([done, promise])
  signal.removeEventListener('abort', resolve)
  if (signal.aborted) throw new APIUserAbortError({ cause: signal.reason })
}
