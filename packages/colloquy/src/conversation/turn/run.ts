import type { Message } from '../../protocol/types/message.ts'
import type { MessageContentParam } from '../../protocol/types/params.ts'
import type { RequestSettings } from '../../protocol/models/longest-calls.ts'
import type { History } from '../history/history.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import { titleOf } from '../history/view.ts'
import type { CostCeiling } from '../money/cost-ceiling.ts'
import { oncePer } from '../once-per.ts'
import type { ConversationSettings } from '../settings.ts'
import type { RepeatedTurn } from '../stores/store.ts'
import { askEngine } from './request/ask.ts'
import { announce, beginRequest, ceilingWithin, isLimited } from './request/begin.ts'
import type { BegunRequest, LimitSet } from './request/begun.ts'
import { outcomeOf, type ReplyOutcome } from './request/finish.ts'
import { keepReply } from './request/keep.ts'
import { beginWithRetries } from './conflict.ts'
import type { StepInput } from './plan.ts'
import { countedTokens, fitPrompt, type Prompt, type RequestParts, requestOf, sentSettings } from './prompt.ts'
import { replyOf, type ReplyStep, windowReport, writtenOutcome } from './reply.ts'
import type { TurnScope } from './scope.ts'
import { makeRoom } from './summarize.ts'
import { checkFits } from '../window/window.ts'

/**
 * Runs one step of a turn, which is all of a turn without tools: from the question to the recorded reply.
 *
 * With a key that was used before, it writes and sends nothing, and returns the turn that was begun with the key.
 */
export async function runStep(scope: TurnScope, input: StepInput & { key?: undefined }): Promise<ReplyStep>
export async function runStep(scope: TurnScope, input: StepInput): Promise<ReplyStep | RepeatedTurn>
export async function runStep(scope: TurnScope, input: StepInput): Promise<ReplyStep | RepeatedTurn> {
  const step = await beginWithRetries(
    scope,
    input.onConflict,
    () => begin(scope, input),
    () => (input.settings().window?.policy === 'summarize' ? makeRoom(scope, input) : undefined),
  )
  if (step.repeated) return step
  const { begun, prompt } = step
  const { request, ending } = ask(scope, begun, prompt, input)
  const outcome = await ending
  const { message } = outcome
  const cache = message && request?.cached?.report(message.usage)
  const record = await keepReply(scope, begun, outcome)
  scope.control.emit({ type: 'step_end', record })
  if (outcome.error !== undefined) throw outcome.error
  if (request !== undefined && !outcome.step.continues) keepCacheAlive(scope, prompt, request, message!)
  return replyOf(record, message!, {
    cost: outcome.cost,
    cache,
    window: windowReport(prompt.window, message!, scope.control.summaries),
  })
}

/** A step that has begun, with what the rest of it needs. */
interface BegunStep {
  repeated: false
  begun: BegunRequest
  prompt: Prompt
}

/** Writes the question, and gives the reply a place. From here on neither is lost, whatever happens. */
async function begin(scope: TurnScope, input: StepInput): Promise<BegunStep | RepeatedTurn> {
  const planned = input.plan()
  const plan = planned instanceof Promise ? await planned : planned
  const { history, parent, messages } = plan
  verify(history)
  const prompt = fitPrompt(scope, input.settings(), plan)
  const { settings, params, nearLimit } = prompt
  if (nearLimit !== undefined) await checkFits(nearLimit, () => countedTokens(scope.config.engine, params))
  const limits = limitsOf(scope, prompt)
  const ceiling = isLimited(limits) ? await priceOf(scope, prompt, limits) : undefined
  const begun = await beginRequest(scope, {
    role: 'assistant',
    history,
    parent,
    messages,
    key: input.key,
    title: history.records.length === 0 ? titleOf(messages) : undefined,
    limits,
    ceiling,
    user: settings.metadata?.user_id ?? '',
    promptSettings: ceiling && promptSettings(settings),
  })
  if (begun.repeated) return begun
  announce(scope, begun, plan)
  return { repeated: false, begun, prompt }
}

/** Throws a `StoreError` if a message is damaged, before a turn begins that could not be sent. */
function verify(history: History): void {
  void history.toSend
}

/** The most that the request can cost. */
function priceOf({ state, config }: TurnScope, prompt: Prompt, limits: LimitSet): Promise<CostCeiling> {
  const { settings, plan, window, history, params } = prompt
  const isSamePrompt = !window.moved && state.lastPromptSettings === promptSettings(settings)
  return ceilingWithin(limits, {
    settings: sentSettings(settings),
    params,
    usedTokens: isSamePrompt ? history.usedTokens : undefined,
    added: plan.messages.map(({ json }) => json),
    countTokens: () => countedTokens(config.engine, params),
  })
}

/** A request that was sent, and the end of its reply. */
interface Asked {
  /** Undefined if it could not be built. */
  request: RequestParts | undefined
  ending: ReplyOutcome | Promise<ReplyOutcome>
}

/** Sends the request, and reads the reply to its end. Never throws. */
function ask(
  scope: TurnScope,
  { handle, maxTokens, history }: BegunRequest,
  prompt: Prompt,
  { continuesAfter }: StepInput,
): Asked {
  const { state, config, control } = scope
  const { plan, window } = prompt
  const settings = maxTokens === undefined ? prompt.settings : { ...prompt.settings, max_tokens: maxTokens }
  try {
    const builder = new ReplyBuilder(plan.prefill)
    control.exposeMessage(() => builder.message)
    config.keepAlive?.stop(state.id)
    const sent = history.visibleThrough(window)
    const planning = { now: Date.now(), experience: config.pauses, keepAlive: config.keepAlive !== undefined }
    const planCache = (given: RequestSettings) => state.cache.plan(given, sent, planning)
    const request = requestOf(settings, plan, sent, config.cacheMarks ? planCache : undefined)
    const { params, context } = request
    const { dropped, settingsLength } = window
    return {
      request,
      ending: askEngine(scope, { params, context, handle, builder, dropped, settingsLength, continuesAfter }),
    }
  } catch (error) {
    // The step has begun, so the place of its reply must not stay open.
    const ending = outcomeOf({ id: state.id, handle, builder: new ReplyBuilder(), error: error as Error })
    return { request: undefined, ending }
  }
}

function keepCacheAlive(scope: TurnScope, prompt: Prompt, request: RequestParts, { usage }: Message): void {
  const { params, context, cached } = request
  if (cached?.pings === undefined) return
  const user = prompt.settings.metadata?.user_id ?? ''
  const limits = limitsOf(scope, prompt)
  scope.config.keepAlive?.start(scope, { params, context, pings: cached.pings(usage), limits, user })
}

/** Puts a reply that the user wrote in the place of the model's. No request is sent. */
export async function writeReply(
  scope: TurnScope,
  { plan: makePlan, settings, onConflict }: StepInput,
  content: MessageContentParam,
): Promise<ReplyStep> {
  const begun = await beginWithRetries(scope, onConflict, async () => {
    const { model } = settings()
    const plan = await makePlan()
    const { history, parent, messages } = plan
    const limits = { budget: undefined, limits: undefined }
    const reply = { role: 'assistant', history, parent, messages, limits, ceiling: undefined, user: '' } as const
    const request = await beginRequest(scope, reply)
    announce(scope, request, plan)
    return { ...request, model }
  })
  const outcome = writtenOutcome({ id: scope.state.id, content, ...begun })
  const record = await keepReply(scope, begun, outcome)
  scope.control.emit({ type: 'step_end', record })
  return replyOf(record, outcome.message!, outcome)
}

function limitsOf({ config }: TurnScope, { settings }: Prompt): LimitSet {
  return { budget: settings.budget, limits: config.limits }
}

/** The settings that are part of the prompt, or may be, as JSON. */
const promptSettings = oncePer(({ budget: _, max_tokens: __, window, ...settings }: ConversationSettings): string =>
  JSON.stringify({ ...settings, policy: window?.policy }),
)
