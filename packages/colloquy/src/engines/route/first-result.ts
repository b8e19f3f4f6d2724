import type { EngineAttempt, EngineContext } from '../../protocol/types/engine.ts'
import type { Clock } from '../clock.ts'
import type { Candidate } from './candidates.ts'
import { type Failure, failureOf, type FallbackReason, reasonOf, Refusal } from './failure.ts'

/** A request, and the route that it takes. */
export interface RoutedRequest {
  route: { name: string; fallbackOn: ReadonlySet<FallbackReason> }
  model: string
  context: EngineContext
  clock: Clock
}

/** The result of the first engine that has one. Throws at once for an error that is not a reason to try another engine. */
export async function firstResult<Result>(
  candidates: readonly Candidate[],
  attempt: (candidate: Candidate) => Promise<Result>,
  request: RoutedRequest,
): Promise<Result> {
  const { route, context } = request
  const failures: Failure[] = []
  for (const candidate of candidates) {
    const { health, label } = candidate
    const skipped = health.begin(candidate)
    if (skipped !== undefined) {
      failures.push({ label, ...skipped })
      continue
    }
    try {
      return await reported(candidate, attempt, request)
    } catch (error) {
      const reason = reasonOf(error)
      if (context.signal?.aborted || reason === undefined || !route.fallbackOn.has(reason)) throw error
      failures.push({ label, error })
    }
  }
  throw failureOf(request.model, route.name, failures)
}

/** Makes an attempt, and tells the caller how it went. */
async function reported<Result>(
  candidate: Candidate,
  attempt: (candidate: Candidate) => Promise<Result>,
  { context: { onAttempt }, clock }: RoutedRequest,
): Promise<Result> {
  const { name: engine, index, model } = candidate
  const startedAt = clock.now()
  const tell = (more: Partial<EngineAttempt>): void =>
    onAttempt?.({ engine, index, model, ms: clock.now() - startedAt, ...more })
  try {
    const result = await attempt(candidate)
    tell({})
    return result
  } catch (error) {
    tell(error instanceof Refusal ? { error, usage: error.usage } : { error })
    throw error
  }
}
