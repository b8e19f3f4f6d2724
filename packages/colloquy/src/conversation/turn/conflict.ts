import { APIUserAbortError } from '../../protocol/types/error.ts'
import { BudgetError, ConversationConflictError } from '../errors.ts'
import type { RepeatedTurn } from '../stores/store.ts'
import type { TurnScope } from './scope.ts'

/** How a turn handles a conflict: another writer changed the conversation, or a reply is still being received. */
export type OnConflict = 'fail' | 'queue' | 'branch'

export interface BeginPolicy {
  onConflict: OnConflict
  /** The key that makes the turn happen once. */
  key?: string | undefined
}

/** How often a queued turn looks whether another process's reply has ended. */
const pollMs = 100

/**
 * Begins a turn, and retries as long as the policy says so.
 *
 * @param begin begins the turn in the conversation as it is known now.
 */
export async function beginWithRetries<Begun>(
  { state, control: { signal } }: TurnScope,
  { onConflict }: Pick<BeginPolicy, 'onConflict'>,
  begin: () => Promise<Begun>,
): Promise<Begun> {
  for (let hasRefreshed = false; ;) {
    if (signal.aborted) throw new APIUserAbortError({ cause: signal.reason })
    await state.finishUnrecorded()
    if (state.isReceiving) await state.refresh()
    try {
      return await begin()
    } catch (error) {
      const move = nextMove(error, { onConflict, hasRefreshed })
      if (move === 'wait') await waitForOthers(state, signal)
      if (move === 'refresh' || move === 'refresh and fail') await state.refresh()
      if (move === 'fail' || move === 'refresh and fail') throw error
      hasRefreshed ||= error instanceof BudgetError
    }
  }
}

/** Throws the conflict if a reply is being received and the turn must not branch off from it. */
export function checkNotBusy({ state }: TurnScope, { onConflict }: Pick<BeginPolicy, 'onConflict'>): void {
  if (state.isReceiving && onConflict !== 'branch') throw state.conflict('busy')
}

/** Begins a turn; if that fails and the key has been used before, finds the turn that was begun with it. */
export async function orRepeated<Begun>(
  { state }: TurnScope,
  { key }: Pick<BeginPolicy, 'key'>,
  begin: () => Promise<Begun>,
): Promise<Begun | RepeatedTurn> {
  try {
    return await begin()
  } catch (error) {
    // A repeated key must return the first turn even if the request does not fit the window or the budget any more.
    const repeated = key === undefined ? undefined : await state.store.find(state.id, key)
    if (repeated === undefined) throw error
    return repeated
  }
}

export type NextMove = 'wait' | 'refresh' | 'refresh and fail' | 'fail'

/** Decides how to continue after a turn could not begin. */
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

/** Runs a turn once this process runs no other turn of the conversation, unless the policy is to branch off from it. */
export async function inTurn<Result>(
  { state, control: { signal } }: TurnScope,
  { onConflict }: Pick<BeginPolicy, 'onConflict'>,
  turn: () => Promise<Result>,
): Promise<Result> {
  for (let { activity } = state; activity.type === 'running' && onConflict !== 'branch'; activity = state.activity) {
    if (onConflict === 'fail') throw state.conflict('busy')
    await unlessAborted(signal, activity.over)
  }
  return state.run(turn)
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
