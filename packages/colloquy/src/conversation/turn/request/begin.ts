import { BudgetError } from '../../errors.ts'
import { maxTokensAfter, maxTokensAllowed } from '../../money/budget.ts'
import { type CostCeiling, type CostInput, ceilingAt, ceilingFor } from '../../money/cost-ceiling.ts'
import { accountsFor, isInDollars } from '../../money/limits.ts'
import type { BeginStep, BegunTurn, RepeatedTurn, Reservation } from '../../stores/store.ts'
import type { Plan } from '../plan.ts'
import type { TurnScope } from '../scope.ts'
import { stepStart } from '../stream/step-events.ts'
import type { BegunRequest, RequestToBegin, LimitSet } from './begun.ts'
import { endAbandoned } from './recovery.ts'

/** Whether something limits or counts a request. */
export function isLimited({ budget, limits }: LimitSet): boolean {
  return budget !== undefined || limits !== undefined
}

/** The most that a request with limits can take. */
export function ceilingWithin({ budget, limits }: LimitSet, input: CostInput): Promise<CostCeiling> {
  const inDollars = budget?.usd !== undefined || budget?.usdPerCall !== undefined || isInDollars(limits ?? {})
  return ceilingFor(input, { inDollars })
}

/** Writes the messages of a request, gives its reply a place in the store, and reserves the most that the request can take. */
export function beginRequest(scope: TurnScope, request: RequestToBegin & { key?: undefined }): Promise<BegunRequest>
export function beginRequest(scope: TurnScope, request: RequestToBegin): Promise<BegunRequest | RepeatedTurn>
export function beginRequest(scope: TurnScope, request: RequestToBegin): Promise<BegunRequest | RepeatedTurn> {
  const { state } = scope
  const { role, parent, messages, key, title, ceiling } = request
  const step = { id: state.id, version: state.record.version, role, parent, messages, key, title, at: Date.now() }
  if (ceiling === undefined)
    return state.store.begin(step).then((begun) => begunRequest(state, request, { step, begun }))
  return beginReserved(scope, step, { ...request, ceiling }).then((reserved) => {
    return begunRequest(state, request, { step, ...reserved })
  })
}

/** Adds a request that has begun to what this process knows of the conversation. */
function begunRequest(
  state: TurnScope['state'],
  request: RequestToBegin,
  { step, begun, maxTokens, reservation }: Reserved & { step: BeginStep },
): BegunRequest | RepeatedTurn {
  if (begun.repeated) return begun
  const { role, parent, messages, promptSettings } = request
  const { version, first, reply, handle } = begun
  const { at } = step
  const history = state.began(request, begun, { at, reservation, promptSettings })
  // The reply answers the last of the messages, if there are any.
  const answers = messages.length === 0 ? parent : reply - 1
  const accounts = reservation?.accounts
  return { repeated: false, version, first, reply, handle, role, parent: answers, history, at, maxTokens, accounts }
}

/** Tells the readers of a turn that a step has begun. */
export function announce(
  { state, control }: TurnScope,
  { reply, parent }: Pick<BegunRequest, 'reply' | 'parent'>,
  { prefill }: Pick<Plan, 'prefill'>,
): void {
  const start = stepStart(state.id, { number: reply, parent })
  control.emit(prefill === undefined ? start : { ...start, prefill })
}

interface Reserved {
  begun: BegunTurn | RepeatedTurn
  /** Undefined if nothing limits the request. */
  maxTokens?: number
  reservation?: Reservation
}

/**
 * Begins a request that stays within every limit. Throws `BudgetError`, and writes nothing, if there is no room.
 *
 * The conversation's own budget is checked here, against what this process knows: the step's version proves that no other
 * process has begun a turn since. The store checks its own limits.
 */
async function beginReserved(
  { state, config }: TurnScope,
  step: BeginStep,
  { limits: { budget, limits }, ceiling, user }: RequestToBegin & { ceiling: CostCeiling },
): Promise<Reserved> {
  const { store } = state
  const accounts = limits === undefined ? [] : accountsFor(limits, user, store.now())
  const used = { spent: state.ledger.current, reserved: state.reserved }
  let maxTokens = budget === undefined ? ceiling.maxTokens : maxTokensAllowed(budget, ceiling, used)
  for (let hasFreed = false; ;) {
    const reservation = { ...ceilingAt(ceiling, maxTokens), accounts }
    try {
      return { begun: await store.begin({ ...step, reservation }), maxTokens, reservation }
    } catch (error) {
      if (!(error instanceof BudgetError)) throw error
      const isFreed: boolean = !hasFreed && error.held > 0n && (await endAbandoned(store, config.turns))
      hasFreed = true
      if (isFreed) continue
      if (!limits?.fit) throw error
      // Another request may have taken the room in the meantime, so try again with what is left now.
      maxTokens = maxTokensAfter(ceiling, error)
    }
  }
}
