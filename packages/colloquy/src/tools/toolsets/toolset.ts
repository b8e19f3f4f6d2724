import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { ToolResultBlockParam, ToolResultContent } from '../../protocol/types/params.ts'
import type { RunnableToolset } from '../runnable.ts'
import type { ToolError } from '../tool-error.ts'
import { answerMember, refusalOf } from './answer.ts'
import { CallQueue, throwIfAborted } from './call-queue.ts'
import {
  ConfirmDeclinedError,
  ConfirmFailedError,
  ToolsetClosedError,
  UnavailableMemberError,
  UnknownMemberError,
} from './errors.ts'
import type { Member, MemberTable, ToolsetCallContext, ToolsetOptions } from './member.ts'
import { ToolsetSettings } from './settings.ts'

/** The call of a member, from its checks to its result. */
export interface MemberCall {
  readonly context: ToolsetCallContext
  readonly name: string
  readonly member: Member
  /** A copy of the model's input, which checks may replace parts of. */
  readonly input: Record<string, unknown>
}

/** The value that a member returned, or the error that the model reads. */
export type Outcome = { call: MemberCall; value: unknown } | { call?: MemberCall; error: ToolError }

/** The parts of a call that only one of the toolsets has. */
export interface CallSteps {
  /** Refuses a call by throwing, or changes its input, before it is confirmed. */
  check?(call: MemberCall): Promise<void>
  /** Further information for `confirm`. */
  about?(call: MemberCall): object
  /** The result for the model. Throws a `ToolError` for a call that failed. */
  resultOf(outcome: Outcome, context: ToolsetCallContext): Promise<ToolResultContent[]>
}

/** The types of a toolset. */
interface Types {
  type: MemberTable['type']
  family: string
  name: string
  input: unknown
  result: unknown
  configs: object
  definition: object
}

/** The `run`, the checks and the queue of a toolset, whose members a subclass implements. */
export abstract class Toolset<Of extends Types> {
  readonly type: Of['type']
  /** The `toolset_name` of the calls that the toolset answers. */
  readonly toolsetName: Of['family']
  readonly #settings: ToolsetSettings
  readonly #steps: CallSteps
  readonly #queue = new CallQueue()
  #isClosed = false

  /** `base` is the class whose subclasses implement the members. */
  constructor(
    table: MemberTable,
    base: { prototype: object },
    options: ToolsetOptions<Of['configs'], (context: never) => unknown>,
    steps: CallSteps,
  ) {
    this.type = table.type
    this.toolsetName = table.name
    this.#settings = new ToolsetSettings(table, implementedIn(this, base.prototype, table), options)
    this.#steps = steps
    wireDispose(base.prototype)
  }

  /** The member settings that the API gets; null if there are none. */
  get configs(): Of['configs'] | null {
    return this.#settings.configs ?? null
  }

  /**
   * Answers a call for a tool loop. Calls run one at a time, in the order in which they arrive. Throws a `ToolError` with the
   * content for the model if the call fails, a `ToolsetUsageError` if the program is wrong, and an `APIUserAbortError`.
   */
  run(context: ToolsetCallContext, { name, input }: ToolUseBlock): Promise<ToolResultContent[]> {
    if (this.#isClosed) throw new ToolsetClosedError(`Cannot call ${name}: the ${this.toolsetName} toolset is closed`)
    return this.#queue.run(context.signal, async () => {
      throwIfAborted(context.signal)
      return this.#steps.resultOf(await this.#outcomeOf(context, name, input), context)
    })
  }

  /** Answers a call in a loop of your own. Rejects only with a `ToolsetUsageError`. */
  toolResult(call: ToolUseBlock): Promise<ToolResultBlockParam> {
    return answerMember(call, this as RunnableToolset)
  }

  /** The definition, as the API gets it. */
  toJSON(): Of['definition'] {
    const { configs, toolConfigs } = this.#settings
    return structuredClone({ ...toolConfigs, type: this.type, ...(configs && { configs }) })
  }

  /**
   * Refuses further calls, and waits for those that were accepted. A tool loop does not call it. Inside a member it must not
   * be awaited.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#queue.ended()
  }

  /**
   * Runs a member that the subclass implements. Override it to do something before and after every member, or to send all
   * calls elsewhere: then every member counts as implemented.
   */
  protected async execute(context: ToolsetCallContext, name: Of['name'], input: Of['input']): Promise<Of['result']> {
    const isMember = Object.hasOwn(this.#settings.table.members, name)
    if (!isMember) throw new UnknownMemberError(name, this.toolsetName)
    const method = (this as unknown as Record<string, Method | undefined>)[methodOf(name)]
    if (!method) throw new UnavailableMemberError(name, this.toolsetName)
    return method.call(this, context, input)
  }

  async #outcomeOf(context: ToolsetCallContext, name: string, given: unknown): Promise<Outcome> {
    let call: MemberCall | undefined
    try {
      const { confirm } = this.#settings
      call = { context, name, member: this.#settings.memberOf(name), input: { ...(given as object) } }
      await this.#steps.check?.(call)
      if (confirm) await confirmed(confirm, call, this.#steps.about?.(call))
      throwIfAborted(context.signal)
      const value: unknown = await this.execute(context, name, call.input)
      throwIfAborted(context.signal)
      return { call, value }
    } catch (error) {
      return { ...(call && { call }), error: refusalOf(error, context.signal) }
    }
  }
}

type Method = (context: ToolsetCallContext, input: unknown) => unknown

/** The method of a member. `type` is the type of the definition, so that its member is `type_`. */
function methodOf(name: string): string {
  return name === 'type' ? 'type_' : name
}

/** The members that the classes of the instance below `base` implement: all of them if they override `execute()`. */
function implementedIn(instance: object, base: object, { members }: MemberTable): Set<string> {
  const names = Object.keys(members)
  const methods = new Set<string>()
  for (let at = Object.getPrototypeOf(instance) as object; at !== base; at = Object.getPrototypeOf(at) as object)
    for (const name of Object.getOwnPropertyNames(at)) methods.add(name)
  return new Set(methods.has('execute') ? names : names.filter((name) => methods.has(methodOf(name))))
}

async function confirmed(confirm: (context: never) => unknown, call: MemberCall, about?: object): Promise<void> {
  const { context, name, input } = call
  let answer: unknown
  try {
    answer = await confirm({ ...context, member: name, input, ...about } as never)
  } catch (error) {
    const refusal = refusalOf(error, context.signal)
    throw error === refusal ? refusal : new ConfirmFailedError(name)
  }
  if (answer !== true) throw new ConfirmDeclinedError(name)
}

/** Makes `await using` close the toolset, in runtimes that have it. */
function wireDispose(prototype: object): void {
  const { asyncDispose } = Symbol as { asyncDispose?: symbol }
  if (!asyncDispose || Object.hasOwn(prototype, asyncDispose)) return
  Object.defineProperty(prototype, asyncDispose, { value: closeThis, configurable: true, writable: true })
}

function closeThis(this: Toolset<Types>): Promise<void> {
  return this.close()
}
