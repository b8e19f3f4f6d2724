import type { MessageContentParam } from '../../protocol/types/params.ts'
import type { CacheReport } from '../cache/cache-planner.ts'
import type { History } from '../history/history.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import { titleOf } from '../history/view.ts'
import type { CostCeiling } from '../money/cost-ceiling.ts'
import type { ConversationSettings } from '../settings.ts'
import type { RepeatedTurn } from '../stores/store.ts'
import { askEngine } from './request/ask.ts'
import { beginRequest, ceilingIfLimited } from './request/begin.ts'
import type { BegunRequest, LimitSet } from './request/begun.ts'
import { outcomeOf, type ReplyOutcome } from './request/finish.ts'
import { keepReply } from './request/keep.ts'
import { beginWithRetries } from './conflict.ts'
import type { StepInput } from './plan.ts'
import { countedTokens, fitPrompt, type Prompt, requestOf } from './prompt.ts'
import { replyOf, type ReplyStep, windowReport, writtenOutcome } from './reply.ts'
import type { KeptRequest, TurnScope } from './scope.ts'
import { announce, stepEnd } from './stream/step-events.ts'
import { makeRoom } from './summarize.ts'

/**
 * Runs one step of a turn, which is all of a turn without tools: from the question to the recorded reply.
 *
 * With a key that was used before, it writes and sends nothing, and returns the turn that was begun with the key.
 */
export async function runStep(scope: TurnScope, input: StepInput & { key?: undefined }): Promise<ReplyStep>
export async function runStep(scope: TurnScope, input: StepInput): Promise<ReplyStep | RepeatedTurn>
export async function runStep(scope: TurnScope, input: StepInput): Promise<ReplyStep | RepeatedTurn> {
  const begun = await beginWithRetries(scope, input.onConflict, async () => {
    if (input.settings().window?.policy === 'summarize') await makeRoom(scope, input)
    return await scope.state.exclusively(async () => {
      const plan = await input.plan()
      verify(plan.history)
      const prompt = await fitPrompt(scope, input.settings(), plan)
      const ceiling = await priceOf(scope, prompt)
      return await begin(scope, prompt, { ceiling, key: input.key })
    })
  })
  if (begun.repeated) return begun
  const asked = await ask(scope, begun, input)
  return await keep(scope, begun, asked)
}

/** Throws a `StoreError` if a message is damaged, before a turn begins that could not be sent. */
function verify(history: History): number {
  return history.sentCount
}

/** A step that has begun, with what the rest of it needs. */
interface BegunStep extends BegunRequest {
  prompt: Prompt
}

/** A reply that has ended, and what became of its cache breakpoints. */
interface Asked extends ReplyOutcome {
  cache?: CacheReport | undefined
  /** The request, if its cache entry may be kept alive. */
  keptAlive?: Pick<KeptRequest, 'params' | 'context' | 'pings'> | undefined
}

/** The most that the request can cost. Undefined if nothing limits or counts it. */
function priceOf(scope: TurnScope, prompt: Prompt): Promise<CostCeiling> | undefined {
  const { state, config } = scope
  const { settings, window, history, added, params } = prompt
  return ceilingIfLimited(limitsOf(scope, prompt), () => {
    const isSamePrompt = !window.moved && state.lastPromptSettings === promptSettings(settings)
    return {
      params: params(),
      usedTokens: isSamePrompt ? history.usedTokens : undefined,
      added,
      countTokens: () => countedTokens(config.engine, params),
    }
  })
}

/** Writes the question, and gives the reply a place. From here on neither is lost, whatever happens. */
async function begin(
  scope: TurnScope,
  prompt: Prompt,
  { ceiling, key }: { ceiling: CostCeiling | undefined; key: string | undefined },
): Promise<BegunStep | RepeatedTurn> {
  const { settings, plan } = prompt
  const { history, parent, messages } = plan
  const begun = await beginRequest(scope, {
    role: 'assistant',
    history,
    parent,
    messages,
    key,
    title: history.records.length === 0 ? titleOf(messages) : undefined,
    limits: limitsOf(scope, prompt),
    ceiling,
    user: settings.metadata?.user_id ?? '',
    promptSettings: ceiling && promptSettings(settings),
  })
  if (begun.repeated) return begun
  announce(scope, begun, plan)
  return { ...begun, prompt }
}

/** Sends the request, and reads the reply to its end. Never throws. */
async function ask(scope: TurnScope, begun: BegunStep, input: StepInput): Promise<Asked> {
  const { state, config, control } = scope
  const { handle, maxTokens, prompt } = begun
  const { plan, window } = prompt
  const settings = maxTokens === undefined ? prompt.settings : { ...prompt.settings, max_tokens: maxTokens }
  try {
    const builder = new ReplyBuilder(plan.prefill)
    control.exposeMessage(() => builder.message)
    const history = begun.history.visibleThrough(window)
    const { params, context } = requestOf(settings, plan, history.sent)
    config.keepAlive?.stop(state.id)
    const planning = { now: Date.now(), experience: config.pauses, keepAlive: config.keepAlive !== undefined }
    const cached = config.cacheMarks ? state.cache.plan(params, history, planning) : undefined
    const outcome = await askEngine(scope, {
      params: cached?.params ?? params,
      context,
      handle,
      builder,
      dropped: window.dropped,
      continuesAfter: input.continuesAfter,
    })
    const { message } = outcome
    if (message === undefined || cached === undefined) return outcome
    const keptAlive = { params: cached.params, context, pings: cached.pings(message.usage) }
    return { ...outcome, cache: cached.report(message.usage), keptAlive }
  } catch (error) {
    // The request could not be built. The step has begun, so the place of its reply must not stay open.
    return outcomeOf({ id: state.id, handle, builder: new ReplyBuilder(), error: error as Error })
  }
}

/** Records the reply. */
async function keep(scope: TurnScope, begun: BegunStep, asked: Asked): Promise<ReplyStep> {
  const { step, message, cost, cache, error } = asked
  const record = await keepReply(scope, begun, step)
  scope.control.emit(stepEnd(record))
  if (error !== undefined) throw error
  if (asked.keptAlive !== undefined && !step.continues) {
    const user = begun.prompt.settings.metadata?.user_id ?? ''
    scope.config.keepAlive?.start(scope, { ...asked.keptAlive, limits: limitsOf(scope, begun.prompt), user })
  }
  return replyOf(record, message!, {
    cost,
    cache,
    window: windowReport(begun.prompt.window, message!, scope.control.summaries),
  })
}

/** Puts a reply that the user wrote in the place of the model's. No request is sent. */
export async function writeReply(
  scope: TurnScope,
  { plan: makePlan, settings, onConflict }: StepInput,
  content: MessageContentParam,
): Promise<ReplyStep> {
  const { state } = scope
  const begun = await beginWithRetries(scope, onConflict, () =>
    state.exclusively(async () => {
      const { model } = settings()
      const plan = await makePlan()
      const { history, parent, messages } = plan
      const limits = { budget: undefined, limits: undefined }
      const reply = { role: 'assistant', history, parent, messages, limits, ceiling: undefined, user: '' } as const
      const request = await beginRequest(scope, reply)
      announce(scope, request, plan)
      return { ...request, model }
    }),
  )
  const outcome = writtenOutcome({ id: state.id, content, ...begun })
  const record = await keepReply(scope, begun, outcome.step)
  scope.control.emit(stepEnd(record))
  return replyOf(record, outcome.message!, outcome)
}

function limitsOf({ config }: TurnScope, { settings }: Prompt): LimitSet {
  return { budget: settings.budget, limits: config.limits }
}

/** The settings that are part of the prompt, or may be, as JSON. */
function promptSettings({ budget: _, max_tokens: __, window, ...settings }: ConversationSettings): string {
  return JSON.stringify({ ...settings, policy: window?.policy })
}
