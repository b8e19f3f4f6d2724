import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { APIError } from '../../protocol/types/error.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { FallbackReason } from './failure.ts'
import { Health } from './health.ts'

const options = { coolDownMs: 5_000, breakAfter: 3, breakForMs: 30_000 }
const failed = apiError('api_error', 'Failed')

function limitedFor(seconds: number): APIError {
  return APIError.generate(429, undefined, 'Limited', new Headers({ 'retry-after': String(seconds) }))
}

/** The health of an engine, with a clock that stands still until it is advanced. */
class World {
  now = 0
  readonly health = new Health(options, { now: () => this.now, wait: () => Promise.resolve() })

  /** Begins an attempt that the health must allow. */
  begin(model = 'a'): { model: string } {
    const attempt = { model }
    assert.equal(this.health.begin(attempt), undefined)
    return attempt
  }

  /** Opens the circuit, and waits until it lets a request through. */
  break(): void {
    for (let count = 0; count < options.breakAfter; count++) this.health.failed(this.begin(), 'error', failed)
    this.now += options.breakForMs
  }
}

describe('the health of an engine', () => {
  test('an attempt that began before the trial and is left does not allow another trial', () => {
    const world = new World()
    const early = world.begin()
    world.break()
    world.begin()
    world.health.left(early)
    assert.equal(world.health.begin({ model: 'a' })?.skipped, 'is being tried')
  })

  test('an attempt that began before the trial and fails does not allow another trial', () => {
    const world = new World()
    const early = world.begin()
    world.break()
    world.begin()
    world.health.failed(early, 'error', failed)
    world.now += options.breakForMs
    assert.equal(world.health.begin({ model: 'a' })?.skipped, 'is being tried')
  })

  test('an overload without a time does not shorten the time of an earlier one', () => {
    const world = new World()
    const [first, second] = [world.begin(), world.begin()]
    world.health.failed(first, 'overload', limitedFor(30))
    world.health.failed(second, 'overload', apiError('overloaded_error', 'Overloaded'))
    world.now += options.coolDownMs
    assert.equal(world.health.begin({ model: 'a' })?.skipped, 'cools down for 25 s')
  })

  test('a reply to an earlier attempt does not end a cool-down whose time is known', () => {
    const world = new World()
    const [first, second] = [world.begin(), world.begin()]
    world.health.failed(first, 'overload', limitedFor(30))
    world.health.succeeded(second)
    assert.equal(world.health.begin({ model: 'a' })?.skipped, 'cools down for 30 s')
  })
})

type Ending = 'replies' | 'breaks off' | 'is left' | 'is limited' | FallbackReason

type Step =
  | { type: 'begin'; model: string }
  | { type: 'end'; which: number; ending: Ending; seconds: number }
  | { type: 'wait'; ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('begin' as const), model: fc.constantFrom('a', 'b') }),
  fc.record({
    type: fc.constant('end' as const),
    which: fc.nat(9),
    ending: fc.constantFrom<Ending>(
      'replies',
      'breaks off',
      'is left',
      'is limited',
      'overload',
      'error',
      'error',
      'error',
      'timeout',
      'request',
      'refusal',
    ),
    seconds: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(1, 999, 5_000, 29_999, 30_000) }),
)

/** The promises of the health, kept by the attempts that it allows, whatever their order and their ends. */
class Witness extends World {
  readonly inFlight: { model: string }[] = []
  readonly #limitedUntil = new Map<string, number>()
  /** The failures of the engine without a complete reply between them. */
  #failures = 0
  /** When the circuit opened. Undefined while it is closed. */
  #openedAt: number | undefined
  #trial: object | undefined

  take(step: Step): void {
    if (step.type === 'wait') this.now += step.ms
    else if (step.type === 'begin') this.#begin({ model: step.model })
    else if (this.inFlight.length > 0) {
      const [attempt] = this.inFlight.splice(step.which % this.inFlight.length, 1)
      this.#end(attempt!, step.ending, step.seconds)
    }
  }

  #begin(attempt: { model: string }): void {
    const skipped = this.health.begin(attempt)
    if (skipped !== undefined) return this.#checkWait(attempt.model, skipped.retryAfterMs)
    assert.ok(this.now >= (this.#limitedUntil.get(attempt.model) ?? 0), 'asked before its retry-after')
    if (this.#openedAt !== undefined) {
      assert.ok(this.now >= this.#openedAt + options.breakForMs, 'asked while the circuit is open')
      assert.equal(this.#trial, undefined, 'two trials at once')
      this.#trial = attempt
    }
    this.inFlight.push(attempt)
  }

  /** The time that a refusal states is not longer than it must be. */
  #checkWait(model: string, ms: number | null | undefined): void {
    if (ms == null) return assert.notEqual(this.#trial, undefined)
    assert.ok(ms > 0 && ms <= 60_000)
    const until = Math.max(this.#limitedUntil.get(model) ?? 0, (this.#openedAt ?? -Infinity) + options.breakForMs)
    assert.ok(this.now + ms <= until, `${ms} ms is too long`)
  }

  #end(attempt: { model: string }, ending: Ending, seconds: number): void {
    const { health } = this
    const wasTrial = this.#trial === attempt
    if (wasTrial) this.#trial = undefined
    if (ending === 'is left') return health.left(attempt)
    if (ending === 'is limited') {
      const until = this.now + seconds * 1_000
      this.#limitedUntil.set(attempt.model, until)
      return health.failed(attempt, 'overload', limitedFor(seconds))
    }
    if (ending === 'overload') return health.failed(attempt, ending, apiError('overloaded_error', 'Overloaded'))
    if (ending === 'request' || ending === 'refusal') {
      this.#openedAt = undefined
      return health.failed(attempt, ending, failed)
    }
    if (ending === 'replies' || ending === 'breaks off') {
      this.#openedAt = undefined
      health.succeeded(attempt)
    }
    if (ending === 'replies') {
      this.#failures = 0
      return health.completed()
    }
    this.#failures++
    if (this.#failures >= options.breakAfter || (wasTrial && ending !== 'breaks off')) this.#openedAt = this.now
    health.failed(attempt, ending === 'breaks off' ? 'error' : ending, failed)
  }
}

test('an engine is asked when it may be, by one trial at a time, and never left alone for good', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), (steps) => {
      const witness = new Witness()
      for (const each of steps) witness.take(each)
      // Whatever happened, the engine may be tried once the longest wait is over.
      for (const attempt of witness.inFlight) witness.health.left(attempt)
      witness.now += 60_000
      assert.equal(witness.health.begin({ model: 'a' }), undefined)
    }),
    { numRuns: 1_000 },
  )
})
