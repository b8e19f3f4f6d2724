import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { errorFrom } from '../../protocol/types/error-response.ts'
import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../../protocol/types/params.ts'
import { callable, checkOptions, clockRule, flag, has, oneOf, type Rule, text } from '../check-options.ts'
import { type Clock, systemClock, throwIfAborted } from '../clock.ts'
import { countPromptTokens } from '../prompt/tokens.ts'
import type { CassettePort, RecordedReply } from './cassette.ts'
import { type Comparable, comparable } from './match.ts'
import { recordedEvents, timedEvents } from './recorded-events.ts'
import { secretRemover } from './secrets.ts'
import { recordedError, Tape } from './tape.ts'

/**
 * How a cassette is used:
 *
 * - `replay`: replies come from the cassette; a request that it does not have is an error.
 * - `record`: the engine replies, and a new cassette replaces the old one.
 * - `record-missing`: the engine replies to requests that the cassette does not have, which are added.
 */
export type CassetteMode = 'replay' | 'record' | 'record-missing'

/** Options of `record()`. */
export interface RecordOptions {
  cassette: CassettePort
  /** The engine to record. Not needed for `replay`. */
  engine?: Engine
  /** Default `replay`. */
  mode?: CassetteMode
  /** Whether to record the time before each event, and to wait for as long in replays. Default false. */
  timing?: boolean
  /** Paths of fields that may differ from the recorded request, such as `metadata.user_id`. */
  ignore?: readonly string[]
  /** Secrets to remove besides API keys, tokens, cookies and passwords in addresses, which are always removed. */
  secrets?: readonly (string | RegExp)[]
  /** Default: the machine's clock. */
  clock?: Clock
}

/** An engine with a cassette. */
export interface RecordingEngine extends Engine {
  /** The number of recorded exchanges that no request has had so far. */
  readonly unused: number
}

const rules = {
  cassette: has('read', 'write'),
  engine: callable,
  mode: oneOf('replay', 'record', 'record-missing'),
  timing: flag,
  ignore: { must: 'a list of paths', holds: (value) => Array.isArray(value) && value.every(text.holds) },
  secrets: { must: 'a list of texts and patterns', holds: isListOfSecrets, isSecret: true },
  clock: clockRule,
} satisfies Record<keyof RecordOptions, Rule>

type Event = MessageStreamEvent | PingEvent

/**
 * An engine that replays recorded replies, or records those of another engine.
 *
 * A cassette is JSON, made to be read and to be kept with the tests: secrets are removed from it. A request has the reply of
 * the recorded request that equals it, whatever the order of the keys. Replies that were aborted or whose connection broke are
 * not recorded; errors of the API are. Throws an `AnthropicError` for an option that is not known.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { record, upstream } from 'colloquy/engines'
 * import { cassetteFile } from 'colloquy/engines/cassettes'
 * import { accumulate } from 'colloquy/protocol'
 *
 * const engine = record({ cassette: cassetteFile('sums.json'), engine: upstream(new Anthropic()), mode: 'record-missing' })
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const reply = await accumulate(engine({ model: 'claude-sonnet-4-6', max_tokens: 100, messages }))
 * console.log(reply.role) // assistant
 * ```
 */
export function record(options: RecordOptions): RecordingEngine {
  checkRecordOptions(options)
  const { cassette, engine, mode = 'replay', timing = false, ignore = [], clock = systemClock } = options
  const tape = new Tape({ port: cassette, ignored: ignore, isNew: mode === 'record' })
  const withoutSecrets = secretRemover(options.secrets ?? [])

  async function* reply(params: MessageCreateParams, context: EngineContext = {}): AsyncGenerator<Event> {
    throwIfAborted(context.signal)
    const request = withoutSecrets(params)
    const wanted = comparable('message', request, ignore)
    const found = mode === 'record' ? undefined : await tape.find(wanted)
    if (found?.kind === 'message') yield* played(found, context, timing ? clock : undefined)
    else yield* recorded(params, context, { request, wanted })
  }

  async function* recorded(
    params: MessageCreateParams,
    context: EngineContext,
    { request, wanted }: { request: MessageCreateParams; wanted: Comparable },
  ): AsyncGenerator<Event> {
    const place = await tape.begin()
    const events: { event: Event; ms: number }[] = []
    let before = clock.now()
    const keep = (more: Partial<RecordedReply>): Promise<void> => {
      const complete = recordedEvents(events, timing)
      return tape.keep(place, withoutSecrets({ kind: 'message', request, events: complete, ...more }))
    }
    try {
      for await (const event of engineFor(wanted)(params, context)) {
        const now = clock.now()
        events.push({ event, ms: now - before })
        before = now
        // Before the last event, because some readers leave after it.
        if (event.type === 'message_stop') await keep({})
        yield event
      }
    } catch (error) {
      const failure = context.signal?.aborted || place.exchange ? undefined : recordedError(error)
      if (failure) await keep({ error: failure })
      throw error
    }
  }

  async function countTokens(params: MessageCountTokensParams, context?: EngineContext): Promise<MessageTokensCount> {
    const request = withoutSecrets(params)
    const wanted = comparable('count_tokens', request, ignore)
    const found = mode === 'record' ? undefined : await tape.find(wanted)
    if (found?.kind === 'count_tokens') return found.result
    const counting = engineFor(wanted)
    const place = await tape.begin()
    const result = (await counting.countTokens?.(params, context)) ?? { input_tokens: countPromptTokens(params) }
    await tape.keep(place, { kind: 'count_tokens', request, result })
    return result
  }

  /** The engine to record. Throws if there is none to be asked. */
  function engineFor(wanted: Comparable): Engine {
    if (mode === 'replay' || engine === undefined) throw tape.noMatch(wanted)
    return engine
  }

  const recording = Object.assign(reply, { countTokens, unused: 0 })
  return Object.defineProperty(recording, 'unused', { get: () => tape.unused })
}

/** @param clock waits for the recorded times. Undefined: no waits. */
async function* played(
  { events, error }: RecordedReply,
  { signal }: EngineContext,
  clock: Clock | undefined,
): AsyncGenerator<Event> {
  for (const { event, ms } of timedEvents(events)) {
    if (ms > 0) await clock?.wait(ms, signal)
    throwIfAborted(signal)
    yield event
  }
  if (error) throw errorFrom({ status: error.status, headers: new Headers(error.headers), body: error.body })
}

function checkRecordOptions(options: RecordOptions): void {
  checkOptions(options, rules, 'record()')
  const { mode = 'replay', engine, cassette } = options
  if ((cassette as CassettePort | undefined) === undefined)
    throw new AnthropicError('Cannot use record() without a cassette, such as cassetteFile(path)')
  if (mode !== 'replay' && engine === undefined)
    throw new AnthropicError(`Cannot use record() in the mode ${mode} without an engine`)
}

function isListOfSecrets(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string' || each instanceof RegExp)
}
