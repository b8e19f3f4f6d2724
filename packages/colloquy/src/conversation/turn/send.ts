import { replay } from '../../protocol/codec/replay.ts'
import type { MessageContentParam } from '../../protocol/types/params.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import { isUnfinished } from '../history/tree.ts'
import { replyMessage } from '../history/view.ts'
import { replyCost } from '../money/ledger.ts'
import type { MessageRecord, RepeatedTurn } from '../stores/store.ts'
import { checkText } from '../stores/text.ts'
import { runsOtherTools, waitForOthers } from './conflict.ts'
import { EarlierCalls, type EarlierTurn, findTurn } from './earlier-turn.ts'
import { type Plan, planToContinue, planToRetry, planToSend } from './plan.ts'
import { type Reply, replyOf, replyOfTurn, type ReplyStep } from './reply.ts'
import { runStep } from './run.ts'
import type { TurnScope } from './scope.ts'
import { stepStart } from './stream/step-events.ts'
import { interruptedCall, OpenCalls, runSteps, stepAfter, type StepOptions } from './steps.ts'

/** A user message that is to be sent. */
export interface MessageToSend {
  key: string | undefined
  content: MessageContentParam
  /** The number of the message that it is to follow. Undefined: the last one of the active path. */
  after: number | undefined
}

/** Sends a user message and runs its turn; with a key only once. */
export function sendMessage(scope: TurnScope, options: StepOptions, message: MessageToSend): Promise<Reply> {
  const { key } = message
  if (key !== undefined) return sendOnce(scope, options, { ...message, key })
  const openCalls = new OpenCalls(scope, options)
  const plan = (): Plan | Promise<Plan> => planMessage(scope, openCalls, message)
  const { settings, onConflict, continuesAfter } = options
  const input = { plan, settings, onConflict, continuesAfter }
  return runStep(scope, input).then((step) => runSteps(scope, options, [step]))
}

function planMessage(
  { state }: TurnScope,
  openCalls: OpenCalls,
  { content, after }: MessageToSend,
): Plan | Promise<Plan> {
  if (after === undefined) return openCalls.planToSend(state.history, content)
  return state.historyTo(after).then((history) => openCalls.planToSend(history, content))
}

type KeyedMessage = MessageToSend & { key: string }

/**
 * Sends a message once. If the key was used before, the earlier turn is returned; if that turn did not end, it is completed:
 *
 * - after its last message, if that is still the head, or if the policy is to branch off;
 * - otherwise by another attempt at the end of the active path. Tool calls that an earlier attempt made are not made again.
 */
async function sendOnce(scope: TurnScope, options: StepOptions, message: KeyedMessage): Promise<Reply> {
  checkText('key', message.key)
  return new KeyedTurn(scope, options, message).run()
}

/** The turn that a keyed message belongs to is not where it was. */
class MovedError extends Error {}

class KeyedTurn {
  readonly #scope: TurnScope
  readonly #options: StepOptions
  readonly #message: KeyedMessage
  readonly #openCalls: OpenCalls
  /** The replies whose events were emitted. */
  readonly #emitted = new Set<number>()
  /** The version of the conversation that the caller has seen. */
  readonly #known: number
  /** The version in which the turn was found as it is, and not running. */
  #seen = 0

  constructor(scope: TurnScope, options: StepOptions, message: KeyedMessage) {
    this.#scope = scope
    this.#message = message
    this.#options = options
    this.#openCalls = new OpenCalls(scope, options)
    this.#known = scope.state.record.version
  }

  async run(): Promise<Reply> {
    let earlier: EarlierTurn[] = []
    for (;;) {
      const attempt = earlier.length + 1
      const turn = await this.#find(attempt)
      if (turn === undefined) {
        const reply = await this.#send(attempt, earlier)
        if (reply !== undefined) return reply
        // Another process was faster, or the conversation has moved: look again.
        earlier = []
      } else if (this.#isComplete(turn)) return replyOfTurn(this.#replay(turn.replies))
      else if (await this.#hasChanged(turn, attempt)) continue
      else if (this.#isRunning(turn)) await this.#wait()
      else if (this.#isNext(turn) && !(await this.#find(attempt + 1))) {
        const reply = await this.#resume(turn, earlier)
        if (reply !== undefined) return reply
      } else earlier = [...earlier, turn]
    }
  }

  #find(attempt: number): Promise<EarlierTurn | undefined> {
    const { store, id } = this.#scope.state
    return findTurn(store, id, keyOf(this.#message.key, attempt))
  }

  /** Sends the message. Undefined if that turns out to be wrong. @param earlier the attempts before this one. */
  async #send(attempt: number, earlier: readonly EarlierTurn[]): Promise<Reply | undefined> {
    const plan = async (): Promise<Plan> => {
      if (earlier.length > 0) this.#checkSeen()
      return planMessage(this.#scope, this.#openCalls, this.#message)
    }
    const step = await this.#step(plan, keyOf(this.#message.key, attempt))
    if (step === undefined || 'repeated' in step) return undefined
    return this.#runSteps([step], earlier)
  }

  /** Completes a turn that ended early, after its last message. Undefined if the conversation has moved. */
  async #resume(turn: EarlierTurn, earlier: readonly EarlierTurn[]): Promise<Reply | undefined> {
    const { state } = this.#scope
    const last = turn.replies.at(-1)!
    const history = await state.historyTo(last.number)
    const done = last.state === 'committed' ? turn.replies : turn.replies.slice(0, -1)
    const plan = async (): Promise<Plan> => {
      this.#checkSeen()
      if (last.state !== 'committed') return planToRetry(history)
      const results = await this.#openCalls.resultsFor(history)
      return results.length > 0 ? planToSend(history, results) : planToContinue(history, this.#options.settings())
    }
    const steps = this.#replay(done)
    const step = await this.#step(plan)
    if (step === undefined || 'repeated' in step) return undefined
    return this.#runSteps([...steps, step], earlier)
  }

  #runSteps(steps: readonly ReplyStep[], earlier: readonly EarlierTurn[]): Reply | Promise<Reply> {
    const earlierCalls = new EarlierCalls(earlier, interruptedCall)
    return runSteps(this.#scope, { ...this.#options, earlierCalls }, steps)
  }

  async #step(plan: () => Promise<Plan>, key?: string): Promise<ReplyStep | RepeatedTurn | undefined> {
    try {
      return await runStep(this.#scope, { ...this.#options, plan, key })
    } catch (error) {
      if (error instanceof MovedError) return undefined
      throw error
    }
  }

  #isComplete({ replies }: EarlierTurn): boolean {
    const last = replies.at(-1)!
    if (last.state !== 'committed') return false
    const { continues } = JSON.parse(last.reply!) as ReplyRecord
    return continues !== true && stepAfter(replyMessage(last)!, this.#options.tools).type === 'stop'
  }

  /**
   * Looks at the newest state of the conversation, in which an abandoned reply has ended. Whether the turn has changed until then:
   * another process runs it, or has erased some of it.
   */
  async #hasChanged(turn: EarlierTurn, attempt: number): Promise<boolean> {
    const { state } = this.#scope
    await state.refresh()
    this.#seen = state.record.version
    const before = turn.replies.at(-1)!
    const last = (await this.#find(attempt))?.replies.at(-1)
    return last?.number !== before.number || last.state !== before.state
  }

  /** Throws a `MovedError` if the turn may have changed since it was found. */
  #checkSeen(): void {
    if (this.#scope.state.record.version !== this.#seen) throw new MovedError()
  }

  /** Whether the turn can be completed where it is. Throws the conflict if the caller has not seen that it cannot. */
  #isNext(turn: EarlierTurn): boolean {
    const { state } = this.#scope
    const { onConflict } = this.#options
    if (onConflict === 'branch' || this.#isHead(turn)) return true
    if (onConflict === 'fail' && state.record.version !== this.#known) throw state.conflict('moved')
    return false
  }

  #isHead({ replies }: EarlierTurn): boolean {
    return this.#scope.state.record.head === replies.at(-1)!.number
  }

  /** Whether a reply of the turn is being received, or its tools run. */
  #isRunning({ replies }: EarlierTurn): boolean {
    const { state } = replies.at(-1)!
    return isUnfinished(state) || (state === 'committed' && runsOtherTools(this.#scope))
  }

  /** Waits for a turn that is running. Throws the conflict if the policy is not to wait. */
  async #wait(): Promise<void> {
    const { state, control } = this.#scope
    if (this.#options.onConflict !== 'queue') throw state.conflict('busy')
    await waitForOthers(state, control.signal)
  }

  /** Emits the events of replies that were recorded before, as if they arrived now. */
  #replay(replies: readonly MessageRecord[]): ReplyStep[] {
    const { control } = this.#scope
    control.isRecorded = true
    return replies.map((record) => {
      const message = replyMessage(record)!
      const { estimated = false } = JSON.parse(record.reply!) as ReplyRecord
      control.exposeMessage(() => message)
      if (!this.#emitted.has(record.number)) {
        control.emit(stepStart(this.#scope.state.id, record))
        for (const event of replay(message)) control.emit(event)
        control.emit({ type: 'step_end', record })
      }
      this.#emitted.add(record.number)
      return replyOf(record, message, { cost: replyCost(message, estimated) })
    })
  }
}

/** The key of an attempt. The store keeps those of later attempts apart from all keys of callers. */
function keyOf(key: string, attempt: number): string {
  return attempt === 1 ? key : `${key}\u001F${attempt}`
}
