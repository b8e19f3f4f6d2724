import { replay } from '../../protocol/codec/replay.ts'
import type { MessageContentParam } from '../../protocol/types/params.ts'
import type { CacheReport } from '../cache/cache-planner.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import { isUnfinished } from '../history/tree.ts'
import { replyMessage, titleOf } from '../history/view.ts'
import type { CostCeiling } from '../money/cost-ceiling.ts'
import { replyCost } from '../money/ledger.ts'
import type { ConversationSettings } from '../settings.ts'
import type { MessageRecord, RepeatedTurn } from '../stores/store.ts'
import { askEngine } from './request/ask.ts'
import { beginRequest, ceilingIfLimited } from './request/begin.ts'
import type { BegunRequest, LimitSet } from './request/begun.ts'
import { outcomeOf, type ReplyOutcome } from './request/finish.ts'
import { keepReply } from './request/keep.ts'
import { beginWithRetries, checkNotBusy, inTurn, orRepeated, waitForOthers } from './conflict.ts'
import type { Plan, TurnInput } from './plan.ts'
import { countedTokens, fitPrompt, type Prompt, requestOf } from './prompt.ts'
import { type Reply, replyOf, windowReport, writtenOutcome } from './reply.ts'
import type { TurnScope } from './scope.ts'
import { makeRoom } from './summarize.ts'

/** Runs one turn, from the question to the recorded reply. */
export function runTurn(scope: TurnScope, request: TurnInput): Promise<Reply> {
  return inTurn(scope, request, () => runOrReplay(scope, request))
}

async function runOrReplay(scope: TurnScope, request: TurnInput): Promise<Reply> {
  const begun = await beginWithRetries(scope, request, () => orRepeated(scope, request, () => prepare(scope, request)))
  if (begun.repeated) return repeat(scope, request, begun)
  const asked = await ask(scope, begun).catch((error: Error) => unsent(scope, begun, error))
  return keep(scope, begun, asked)
}

async function prepare(scope: TurnScope, request: TurnInput): Promise<BegunTurn | RepeatedTurn> {
  checkNotBusy(scope, request)
  await makeRoom(scope, request)
  return scope.state.exclusively(async () => {
    const plan = await request.plan()
    const prompt = await fitPrompt(scope, request.settings(), plan)
    const ceiling = await priceOf(scope, prompt)
    return begin(scope, prompt, { ceiling, key: request.key })
  })
}

/** A turn that has begun, with what the rest of it needs. */
interface BegunTurn extends BegunRequest {
  prompt: Prompt
}

/** A reply that has ended, and what became of its cache breakpoints. */
interface Asked extends ReplyOutcome {
  cache?: CacheReport | undefined
}

/** The most that the request can cost. Undefined if nothing limits or counts it. */
function priceOf(scope: TurnScope, prompt: Prompt): Promise<CostCeiling | undefined> {
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
): Promise<BegunTurn | RepeatedTurn> {
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
  return begun.repeated ? begun : { ...begun, prompt }
}

/** Sends the request, and reads the reply to its end. */
async function ask(scope: TurnScope, begun: BegunTurn): Promise<Asked> {
  const { state, config, control } = scope
  const { handle, maxTokens, prompt } = begun
  const { plan, window } = prompt
  const settings = maxTokens === undefined ? prompt.settings : { ...prompt.settings, max_tokens: maxTokens }
  const builder = new ReplyBuilder(plan.prefill)
  control.exposeMessage(() => builder.message)
  const history = begun.history.visibleThrough(window)
  const { params, context } = requestOf(settings, plan, history.sent)
  const cached = config.cacheMarks ? state.cache.plan(params, history, Date.now()) : undefined
  const request = { params: cached?.params ?? params, context, handle, builder, dropped: window.dropped }
  const outcome = await askEngine(scope, request)
  return { ...outcome, cache: outcome.message && cached?.report(outcome.message.usage) }
}

/** The request could not be built. The turn has begun, so the place of its reply must not stay open. */
function unsent({ state: { id } }: TurnScope, { handle }: BegunTurn, error: Error): Asked {
  return outcomeOf({ id, handle, builder: new ReplyBuilder(), error })
}

/** Records the reply. */
async function keep(scope: TurnScope, begun: BegunTurn, asked: Asked): Promise<Reply> {
  const { step, message, cost, cache, error } = asked
  const record = await keepReply(scope, begun, step)
  if (error !== undefined) throw error
  return replyOf(record, message!, {
    cost,
    cache,
    window: windowReport(begun.prompt.window, message!, scope.control.summaries),
  })
}

/** Puts a reply that the user wrote in the place of the model's. No request is sent. */
export function writeReply(scope: TurnScope, request: TurnInput, content: MessageContentParam): Promise<Reply> {
  return inTurn(scope, request, async () => {
    const begun = await beginWithRetries(scope, request, () => {
      checkNotBusy(scope, request)
      return scope.state.exclusively(async () => {
        const { model } = request.settings()
        const { history, parent, messages } = await request.plan()
        const limits = { budget: undefined, limits: undefined }
        const reply = { role: 'assistant', history, parent, messages, limits, ceiling: undefined, user: '' } as const
        return { ...(await beginRequest(scope, reply)), model }
      })
    })
    const outcome = writtenOutcome({ id: scope.state.id, content, ...begun })
    return replyOf(await keepReply(scope, begun, outcome.step), outcome.message!, outcome)
  })
}

/** Returns the reply to a message that was sent with the same key before, or requests it again if it is not complete. */
async function repeat(scope: TurnScope, request: TurnInput, { reply, message }: RepeatedTurn): Promise<Reply> {
  const { state, control } = scope
  if (reply.state === 'committed') return replayed(scope, reply)
  if (isUnfinished(reply.state)) {
    if (request.onConflict !== 'queue') throw state.conflict('busy')
    await waitForOthers(state, control.signal)
    return runOrReplay(scope, request)
  }
  if (state.record.head !== reply.number) throw state.conflict('moved')
  // As a sibling of the reply that failed.
  const plan = async (): Promise<Plan> => ({
    history: await state.historyTo(message),
    messages: [],
    parent: message,
  })
  return runOrReplay(scope, { ...request, plan, key: undefined })
}

/** A reply that was recorded before, as if it arrived now. */
function replayed({ control }: TurnScope, record: MessageRecord): Reply {
  control.isRecorded = true
  const message = replyMessage(record)!
  const { estimated = false } = JSON.parse(record.reply!) as ReplyRecord
  control.exposeMessage(() => message)
  for (const event of replay(message)) control.emit(event)
  return replyOf(record, message, { cost: replyCost(message, estimated) })
}

function limitsOf({ config }: TurnScope, { settings }: Prompt): LimitSet {
  return { budget: settings.budget, limits: config.limits }
}

/** The settings that are part of the prompt, or may be, as JSON. */
function promptSettings({ budget: _, max_tokens: __, window, ...settings }: ConversationSettings): string {
  return JSON.stringify({ ...settings, policy: window?.policy })
}
