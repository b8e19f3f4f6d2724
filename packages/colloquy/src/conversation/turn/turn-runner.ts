import { newId } from '../../engines/id.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { APIUserAbortError } from '../../protocol/types/error.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { MessageContentParam, MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { replay } from '../../protocol/codec/replay.ts'
import type { CostCeiling, CostInput } from '../money/cost-ceiling.ts'
import type { CacheReport } from '../cache/cache-planner.ts'
import { cutFor } from '../window/cut.ts'
import { BudgetError, ConversationConflictError } from '../errors.ts'
import { endOf, type Exchanged, exchange } from './exchange.ts'
import type { SentPart } from '../history/history.ts'
import { beginReserved, estimateIfLimited } from './reservation.ts'
import type { Limits } from '../money/limits.ts'
import { type ReplyCost, replyCost } from '../money/ledger.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import { builderFor, countedTokens, type Plan, requestOf } from './request.ts'
import type { ConversationSettings } from '../settings.ts'
import type { ConversationState } from './state.ts'
import type { Account, BegunTurn, FinishStep, MessageRecord, RepeatedTurn } from '../stores/store.ts'
import { makeRoom } from './summary-turn.ts'
import { isUnfinished } from '../history/tree.ts'
import type { Reply, TurnControl } from './turn.ts'
import { windowReport } from './window-report.ts'
import { replyMessage, titleOf } from '../history/view.ts'
import { checkFits } from '../window/window.ts'

export interface TurnRequest {
  /** Says what to ask, of the conversation as it stands. Run again when someone else changed it. */
  plan: () => Plan | Promise<Plan>
  /** The settings of the turn: those of the conversation as it is, with what the turn changes. */
  settings: () => ConversationSettings
  onConflict: 'fail' | 'queue' | 'branch'
  key?: string | undefined
}

/** Whom to ask, and how. */
export interface Asking {
  engine: Engine
  /** How often what arrives is written down. */
  journalMs: number
  cacheMarks: boolean
  /** Of the store's conversations together. */
  limits: Limits | undefined
}

/** How often a turn that queues looks whether another process's reply has ended. */
const pollMs = 100

/** Runs one turn from the question to the kept reply. */
export async function runTurn(
  state: ConversationState,
  asking: Asking,
  request: TurnRequest,
  control: TurnControl,
): Promise<Reply> {
  while (state.running !== undefined && request.onConflict !== 'branch') {
    if (request.onConflict === 'fail') throw state.conflict('busy')
    await unless(control.signal, state.running)
  }
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  state.running = over
  try {
    return await takeTurn(state, asking, request, control)
  } finally {
    if (state.running === over) state.running = undefined
    end()
  }
}

async function takeTurn(
  state: ConversationState,
  asking: Asking,
  request: TurnRequest,
  control: TurnControl,
): Promise<Reply> {
  for (;;) {
    const begun = await begin(state, asking, request, control)
    if (!begun.repeated) return run(state, asking, begun, control)
    const { reply, message } = begun
    if (reply.state === 'committed') return repeat(reply, control)
    if (isUnfinished(reply.state)) await waitElsewhere(state, request, control.signal)
    else if (state.record.head !== reply.number) throw state.conflict('moved')
    else {
      // What the key was given to has no whole reply: it is asked again, beside the attempt that failed.
      const again = async (): Promise<Plan> => ({
        history: await state.historyTo(message),
        messages: [],
        parent: message,
      })
      return takeTurn(state, asking, { ...request, plan: again, key: undefined }, control)
    }
  }
}

interface Planned extends BegunTurn {
  plan: Plan
  /** The message that the reply answers. */
  parent: number
  at: number
  /** With what a limit made of them. */
  settings: ConversationSettings
  /** Where what the reply uses is counted. */
  accounts: readonly Account[] | undefined
  /** What of the history is sent. */
  part: SentPart
}

async function begin(
  state: ConversationState,
  asking: Asking,
  request: TurnRequest,
  control: TurnControl,
): Promise<Planned | RepeatedTurn> {
  const { onConflict, key } = request
  const { signal } = control
  for (let isSeenAnew = false; ;) {
    if (signal.aborted) throw new APIUserAbortError({ cause: signal.reason })
    await state.keepUnkept()
    if (state.isBusy) await state.refresh()
    try {
      if (state.isBusy && onConflict !== 'branch') throw state.conflict('busy')
      await makeRoom(state, asking, request, control)
      return await state.exclusively(() => beginNow(state, asking, request))
    } catch (error) {
      // What is sent again need not fit any more where it was sent first.
      const repeated = key === undefined ? undefined : await state.store.find(state.id, key)
      if (repeated !== undefined) return repeated
      if (!isSeenAnew && isHeldBack(error)) {
        isSeenAnew = true
        await state.refresh()
        continue
      }
      if (!(error instanceof ConversationConflictError)) throw error
      if (error.reason === 'busy') await waitElsewhere(state, request, signal)
      else {
        await state.refresh()
        if (onConflict === 'fail') throw error
      }
    }
  }
}

/** Of the calls of this conversation that seem to be under way, some may be over elsewhere, and have cost less. */
function isHeldBack(error: unknown): boolean {
  return error instanceof BudgetError && (error.limit === 'usd' || error.limit === 'tokens') && error.held > 0n
}

async function beginNow(
  state: ConversationState,
  { engine, limits }: Asking,
  { plan: makePlan, key, settings: makeSettings }: TurnRequest,
): Promise<Planned | RepeatedTurn> {
  // What follows is planned, and what it may cost reckoned, for the conversation as it is now.
  const { id, record } = state
  // Whatever is wrong with the settings shows before anything is written.
  const settings = makeSettings()
  const plan = await makePlan()
  const { ceiling, part } =
    plan.reply === undefined
      ? await fit(state, { engine, limits }, settings, plan)
      : { ceiling: undefined, part: whole }
  const { parent, messages } = plan
  const at = Date.now()
  const { begun, hold, maxTokens } = await beginReserved(
    state,
    { budget: settings.budget, limits },
    { id, version: record.version, parent, messages, key, title: titleFor(plan), at },
    { ceiling, user: settings.metadata?.user_id ?? '' },
  )
  if (begun.repeated) return begun
  // Only the next bill asks.
  state.askedWith = ceiling && promptSettings(settings)
  const asked = askedRecords(plan, begun.first, at)
  state.began(begun, plan.history, asked, titleFor(plan) ?? null)
  if (hold !== undefined) state.hold(begun.reply, hold)
  return {
    ...begun,
    parent: asked.at(-1)?.number ?? parent,
    plan,
    at,
    settings: maxTokens === undefined ? settings : { ...settings, max_tokens: maxTokens },
    accounts: hold?.accounts,
    part,
  }
}

const whole: SentPart = { dropped: 0, summary: undefined, thinking: 'all' }

/** What of the settings is part of the prompt, or may be. */
function promptSettings({ budget: _, max_tokens: __, window, ...settings }: ConversationSettings): string {
  return JSON.stringify({ ...settings, policy: window?.policy })
}

/**
 * What the window holds of the history, and the most that the call can take where something limits it. Throws `WindowError`
 * where the window holds too little.
 */
async function fit(
  state: ConversationState,
  { engine, limits }: Pick<Asking, 'engine' | 'limits'>,
  settings: ConversationSettings,
  plan: Plan,
): Promise<{ ceiling: CostCeiling | undefined; part: SentPart }> {
  const { budget } = settings
  const added = plan.messages.map(({ json }) => json)
  const cut = cutFor({ settings, history: plan.history, added, summaries: state.summaries })
  const history = plan.history.after(cut)
  const request = (): MessageCreateParams => {
    const messages = [...history.sent, ...added.map((json) => parseJson(json) as MessageParam)]
    return requestOf(settings, plan, messages).params
  }
  const countTokens = (): Promise<number | undefined> => countedTokens(engine, request)
  await checkFits(settings, cut.tokens, countTokens)
  const input = (): CostInput => {
    const isSame = !cut.moved && state.askedWith === promptSettings(settings)
    return { params: request(), usedTokens: isSame ? history.usedTokens : undefined, added, countTokens }
  }
  return { ceiling: await estimateIfLimited({ budget, limits }, input), part: cut }
}

/** Waits for a while, where a turn is under way that another writer began. */
async function waitElsewhere(
  state: ConversationState,
  { onConflict }: TurnRequest,
  signal: AbortSignal,
): Promise<void> {
  if (onConflict !== 'queue') throw state.conflict('busy')
  await unless(signal, new Promise((resolve) => setTimeout(resolve, pollMs)))
  await state.refresh()
}

/** Waits, but not longer than until the signal aborts. */
async function unless(signal: AbortSignal, done: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  signal.addEventListener('abort', resolve, { once: true })
  await Promise.race([done, promise])
  signal.removeEventListener('abort', resolve)
  if (signal.aborted) throw new APIUserAbortError({ cause: signal.reason })
}

async function run(state: ConversationState, asking: Asking, begun: Planned, control: TurnControl): Promise<Reply> {
  const { parent, at, accounts } = begun
  const { end, message, cost, cache, error } = await receive(state, asking, begun, control).catch((error: Error) =>
    unasked(state.id, begun.handle, error),
  )
  const number = await state.keep({ ...end, accounts })
  control.kept = true
  const { json, received, reply } = end
  const record = { number, parent, role: 'assistant', state: end.state, createdAt: at, json, received, reply }
  await state.ended(begun.reply, record)
  if (error !== undefined) throw error
  return { ...replyOf(record, message!, cost), cache, window: windowReport(begun.part, message!, control.summaries) }
}

async function receive(
  state: ConversationState,
  asking: Asking,
  { plan, handle, settings, part }: Planned,
  control: TurnControl,
): Promise<Exchanged & { cache?: CacheReport | undefined }> {
  const { store, id } = state
  if (plan.reply !== undefined) return writtenByHand({ id, handle, content: plan.reply, model: settings.model })
  const builder = builderFor(plan)
  control.watch(() => builder.message)
  const history = state.history.after(part)
  const { params, context } = requestOf(settings, plan, history.sent)
  const cached = asking.cacheMarks ? state.cache.plan(params, history, Date.now()) : undefined
  const sent = cached?.params ?? params
  const { dropped } = part
  const exchanged = await exchange({ ...asking, params: sent, context, store, id, handle, builder, dropped }, control)
  return { ...exchanged, cache: exchanged.message && cached?.report(exchanged.message.usage) }
}

/** Something went wrong on the way to the engine: the place of the reply must not stay open. */
function unasked(id: string, handle: number, error: Error): Exchanged & { cache?: undefined } {
  return { ...endOf({ id, handle, builder: new ReplyBuilder(), error }), error }
}

interface Written {
  id: string
  handle: number
  content: MessageContentParam
  model: string
}

/** A reply that its reader wrote: nobody was asked. */
function writtenByHand({ id, handle, content, model }: Written): Exchanged {
  const message: Omit<Message, 'content'> = {
    id: newId('msg_'),
    type: 'message',
    role: 'assistant',
    model,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
  }
  // Of what may stand in a user's message, blocks that the model may have written.
  const blocks = (
    typeof content === 'string' ? [{ type: 'text', text: content, citations: null }] : content
  ) as ContentBlock[]
  const json = JSON.stringify({ role: 'assistant', content: blocks })
  const reply = JSON.stringify({ message, cost_pico_usd: 0, unpaid: true } satisfies ReplyRecord)
  const end: FinishStep = { id, handle, state: 'committed', json, received: null, reply, at: Date.now() }
  const whole: Message = { ...message, content: blocks }
  return { end, message: whole, cost: replyCost(message, false), error: undefined }
}

function titleFor({ history, messages }: Plan): string | undefined {
  return history.records.length === 0 ? titleOf(messages) : undefined
}

function askedRecords({ messages, parent }: Plan, first: number, at: number): MessageRecord[] {
  return messages.map(({ role, json }, index) => ({
    number: first + index,
    parent: index === 0 ? parent : first + index - 1,
    role,
    state: 'committed',
    createdAt: at,
    json,
    received: null,
    reply: null,
  }))
}

/** What was asked before with the same key has its reply already. */
function repeat(record: MessageRecord, control: TurnControl): Reply {
  control.kept = true
  const message = replyMessage(record)!
  const { estimated = false } = JSON.parse(record.reply!) as ReplyRecord
  const reply = replyOf(record, message, replyCost(message, estimated))
  control.watch(() => reply.message)
  for (const event of replay(reply.message)) control.publish(event)
  return reply
}

function replyOf(record: MessageRecord, message: Message, cost: ReplyCost | undefined): Reply {
  return {
    messageId: String(record.number),
    parentId: record.parent === 0 ? undefined : String(record.parent),
    message,
    text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    usage: message.usage,
    cost,
    cache: undefined,
    window: undefined,
    stopReason: message.stop_reason,
  }
}
