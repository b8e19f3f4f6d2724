import { checkOptionNames, checkOptionsObject, describeValue } from '../protocol/json/option-names.ts'
import { AnthropicError } from '../protocol/types/error.ts'
import { wellFormedJson } from '../protocol/codec/well-formed-json.ts'
import type { MessageContentParam, MessageCreateParams } from '../protocol/types/params.ts'
import type { ToolUnion } from '../protocol/types/tool.ts'
import { definitionOf, type Runnable } from '../tools/runnable.ts'
import { addConversation } from './add-conversation.ts'
import { checkDraft, checkReplacement, copyOf } from './history/content.ts'
import type { History } from './history/history.ts'
import { type ConversationMetadata, metadataJson, parseMetadata } from './history/metadata.ts'
import { type Archive, copyPath } from './history/records.ts'
import { inSlices } from './in-slices.ts'
import { type Plan, planToContinue, planToRetry, planToSend } from './turn/plan.ts'
import { type Exchange, exchangeOf, nextRequest } from './preview.ts'
import { type OnConflict, takeTurn } from './turn/conflict.ts'
import { copyReplies } from './turn/request/copy-replies.ts'
import { sendMessage } from './turn/send.ts'
import { type Reply, replyOfTurn } from './turn/reply.ts'
import { runStep, writeReply } from './turn/run.ts'
import { TurnLease } from './turn/request/turn-lease.ts'
import type { TurnConfig, TurnScope } from './turn/scope.ts'
import { changeSettings, checkSettingNames, checkTools, isToolList } from './check-settings.ts'
import type { ConversationSettings, SettingsChanges } from './settings.ts'
import { eraseMessage, historyTo, StoredConversation, treeOf } from './stored-conversation.ts'
import type { ConversationState } from './turn/state.ts'
import type { ConversationChanges, MessageRecord, Shelf } from './stores/store.ts'
import { lastTurns, newestLeaf, numberOf, versionsOf } from './history/tree.ts'
import { contentAfter, OpenCalls, runSteps, stepAfter, type StepOptions, type TurnToolOptions } from './turn/steps.ts'
import type { Turn, TurnControl } from './turn/turn.ts'
import { checkShelf, type ConversationMessage, isShown, showMessage, titleText } from './history/view.ts'

/** Options of one turn. Any setting may be given for this turn only. */
export interface TurnOptions extends Partial<Omit<ConversationSettings, 'tools'>> {
  /**
   * Tools made by `tool()` run by themselves: their results are sent and the model replies again, until a reply calls none
   * of them. Each step is recorded before the next one begins. A reply of the API's own tools that paused is continued.
   */
  tools?: (ToolUnion | Runnable)[]
  /** How those tools are run. */
  toolOptions?: TurnToolOptions
  /** Stops the turn when it aborts. The text that has arrived is kept. */
  signal?: AbortSignal
  /**
   * How to handle a conflict: another writer changed the conversation, or a reply is still being received. `fail`: a
   * `ConversationConflictError`; nothing is written. `queue`: waits, and continues after what is there then. `branch`:
   * continues after what this process last saw, as a sibling of what the other wrote. Default `fail`.
   */
  onConflict?: OnConflict
}

export interface SendOptions extends TurnOptions {
  /**
   * Makes the message be sent once: sending it with the same key again returns the first turn and its reply. Only a reply
   * that was not completed is requested again.
   */
  key?: string
}

export interface EditOptions extends TurnOptions {
  /**
   * Whether the model replies to the new content of a user message. False keeps the messages that follow: the new branch ends
   * in copies of them, which cost nothing. Default true.
   */
  rerun?: boolean
}

/** Changes of `update()`. A field that is absent stays as it is. */
export interface ConversationUpdate {
  title?: string | null
  owner?: string | null
  metadata?: ConversationMetadata | null
  /** `pinned` or `archived`, for the option `shelf` of `list()`. Alone it changes no time of use. */
  shelf?: Shelf | null
}

/**
 * A conversation: a tree of messages of which one path is active. Every turn sends the active path. Messages and replies are
 * kept exactly, and nothing is overwritten: an edit or a retry adds a sibling.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { openConversations } from 'colloquy/conversation'
 *
 * const conversations = openConversations({ client: new Anthropic() })
 * const chat = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
 * const turn = chat.send('What is 6 * 7?')
 * let shown = ''
 * for await (const text of turn.text) shown += text // while it arrives
 * const reply = await turn
 * await chat.edit(reply.parentId!, 'What is 6 * 8?') // a second branch
 * console.log(chat.messages.length, chat.cost.picoUsd > 0n) // 2 true
 * ```
 */
export class Conversation extends StoredConversation {
  readonly #state: ConversationState
  readonly #config: TurnConfig

  constructor(state: ConversationState, config: TurnConfig) {
    super(state)
    this.#state = state
    this.#config = config
  }

  /**
   * Sends a user message and requests the reply. The message is recorded before the request is sent.
   *
   * The turn fails with a `ContentError`, and writes nothing, if the API would refuse the content.
   */
  send(content: MessageContentParam, options: SendOptions = {}): Turn {
    checkOptionsObject(options, 'send()')
    const { key, onConflict } = options
    const said = copyOf(content)
    const after = onConflict === 'branch' ? this.#state.settledHead : undefined
    return this.#run(options, (scope, steps) => sendMessage(scope, steps, { key, content: said, after }))
  }

  /** Requests another reply as a sibling of the last one; given the id of a user message, another reply to that message. */
  retry(messageId?: string, options: TurnOptions = {}): Turn {
    checkOptionsObject(options, 'retry()')
    return this.#runSteps(options, () => async () => planToRetry(await historyTo(this.#state, messageId)))
  }

  /**
   * Puts other content in the place of a message: the message stays as it is, and a sibling takes its place on the active
   * path. In place of a user message, the model answers the new content, unless `rerun` is false; in place of a reply, no
   * request is sent.
   */
  edit(messageId: string, content: MessageContentParam, given: EditOptions = {}): Turn {
    checkOptionsObject(given, 'edit()')
    const { rerun = true, ...options } = given
    checkRerun(rerun)
    const edit = { number: numberOf(this.id, messageId), content: copyOf(content), rerun }
    return this.#run(options, (...turn) => editMessage(...turn, edit))
  }

  /**
   * Continues a reply that was interrupted, cut off by a limit or paused; requests it again if nothing of it arrived. Tool
   * calls that were interrupted are answered first.
   */
  continue(options: TurnOptions = {}): Turn {
    checkOptionsObject(options, 'continue()')
    return this.#runSteps(options, ({ openCalls, settings }) => async () => {
      const { history } = this.#state
      const results = await openCalls.resultsFor(history)
      return results.length > 0 ? planToSend(history, results) : planToContinue(history, settings())
    })
  }

  /** Takes back the last turns, with their questions. They stay in the tree. Returns the messages that were taken back. */
  async undo(turns = 1): Promise<ConversationMessage[]> {
    let undone: readonly MessageRecord[] = []
    await this.#state.change(() => {
      undone = lastTurns(this.#state.history.records, turns)
      return { head: undone[0]!.parent }
    })
    return undone.filter(isShown).map(showMessage)
  }

  /** Makes the branch of a message active, up to the newest message that follows it. */
  async switchTo(messageId: string): Promise<void> {
    const number = numberOf(this.id, messageId)
    const nodes = await treeOf(this.#state)
    versionsOf(nodes, this.id, number)
    await this.#state.change(() => ({ head: newestLeaf(nodes, number) }))
  }

  /**
   * Creates a conversation that begins with the messages of this one, up to and including the given message. Default: the
   * whole active path.
   */
  async fork(messageId?: string): Promise<Conversation> {
    const copy = await copyOfConversation(this.#state, messageId)
    return new Conversation(await addConversation(this.#state.store, copy, this.#config), this.#config)
  }

  /** Erases a message and everything that follows it, on every branch, and the title if it is the first line of one of them. */
  async erase(messageId: string): Promise<void> {
    await eraseMessage(this.#state, numberOf(this.id, messageId))
  }

  /** Changes settings for the turns to come. A change to undefined removes the setting. */
  async configure(changes: SettingsChanges): Promise<void> {
    const copy = copyOf(changes)
    checkSettingNames(copy, [], 'configure()')
    await this.#state.change(() => ({ settings: settingsJson(this.#state.record.settings, copy) }))
  }

  /** Changes the title. It is made one line and cut to 200 characters. */
  async rename(title: string): Promise<void> {
    await this.update({ title: titleText(title) })
  }

  /** Changes the title, the owner, the metadata or the shelf. Null removes a value. */
  async update(update: ConversationUpdate): Promise<void> {
    checkOptionNames(update, updateNames, 'update()')
    const changes = changesOf(update)
    await this.#state.change(() => changes)
  }

  /**
   * The request that would be sent next, with this content as the user message, after results that say which calls were
   * interrupted. If a summary has to make room first, the request for that: its last message is the instructions for the
   * summary.
   *
   * Throws an `AnthropicError` for settings that `configure()` refuses, and a `ContentError` for content that is neither text
   * nor a list of blocks.
   *
   * @param changes settings that differ from those of the conversation.
   */
  preview(content?: MessageContentParam, changes?: SettingsChanges): MessageCreateParams {
    if (content !== undefined) checkDraft(content)
    if (changes !== undefined) checkSettingNames(changes, [], 'preview()')
    const { settings, history, summaries } = this.#state
    const changed = changes === undefined ? settings : changeSettings(settings, changes)
    // Calls of a turn that runs are not interrupted.
    const said = this.#state.activity.type === 'idle' ? contentAfter(history, content) : content
    return nextRequest({ settings: changed, history, summaries }, this.#config, said)
  }

  /**
   * The request of a reply, and what came back. The request is put together again from what is stored: with the option
   * `traces` of `openConversations()` its parameters are exact.
   *
   * Throws an `AnthropicError` if the message is not a reply.
   */
  async exchange(messageId: string): Promise<Exchange> {
    const number = numberOf(this.id, messageId)
    const history = await historyTo(this.#state, messageId)
    const reply = history.last!
    if (reply.reply === null)
      throw new AnthropicError(`Cannot find the request of message ${messageId}: it is not a reply`)
    return exchangeOf(this.#state, this.#config, { before: history.upToBefore(number), reply })
  }

  /** Runs a turn of steps. @param makePlan makes the function that plans the first step. */
  #runSteps(
    options: SendOptions,
    makePlan: (turn: StepOptions & { openCalls: OpenCalls }) => () => Promise<Plan>,
  ): Turn {
    return this.#run(options, async (scope, steps) => {
      const plan = makePlan({ ...steps, openCalls: new OpenCalls(scope, steps) })
      return runSteps(scope, steps, [await runStep(scope, { ...steps, plan })])
    })
  }

  #run(options: SendOptions, run: (scope: TurnScope, steps: StepOptions) => Promise<Reply>): Turn {
    const steps = stepOptions(options, () => this.settings)
    const start = async (control: TurnControl): Promise<Reply> => {
      checkTurnOptions(options)
      const lease = new TurnLease(this.#state, control)
      const scope = { state: this.#state, config: this.#config, control, lease }
      const taken = takeTurn(scope, steps.onConflict)
      const end = taken instanceof Promise ? await taken : taken
      try {
        return await run(scope, steps)
      } finally {
        const releasing = lease.release()
        if (releasing !== undefined) await releasing
        end()
      }
    }
    return this.#config.turns.start(this.id, start, options.signal)
  }
}

/** The conversation up to a message, as one of its own. */
async function copyOfConversation(state: ConversationState, messageId: string | undefined): Promise<Archive> {
  const { owner, metadata, title } = state.record
  const { settings, summaries } = state
  const { records } = await historyTo(state, messageId)
  const head = records.length
  return {
    owner: owner ?? undefined,
    metadata: parseMetadata(metadata),
    title: title ?? undefined,
    settings,
    // A turn may add messages while these are copied.
    messages: await inSlices(copyPath(records.slice(), summaries)),
    head,
  }
}

async function editMessage(
  scope: TurnScope,
  steps: StepOptions,
  { number, content, rerun }: { number: number; content: MessageContentParam; rerun: boolean },
): Promise<Reply> {
  const { state } = scope
  const before = async (): Promise<History> => (await historyTo(state, String(number))).upToBefore(number)
  const { role, parent } = (await historyTo(state, String(number))).last!
  if (role !== 'assistant' && !rerun) {
    const following = await pathAfter(state, number)
    return replyOfTurn(await copyReplies(scope, steps, { content, before, following }))
  }
  if (role !== 'assistant') {
    const plan = async (): Promise<Plan> => planToSend(await before(), content)
    return runSteps(scope, steps, [await runStep(scope, { ...steps, plan })])
  }
  checkReplacement(content)
  const plan = async (): Promise<Plan> => ({ history: await before(), messages: [], parent })
  return replyOfTurn([await writeReply(scope, { ...steps, plan }, content)])
}

/** The messages that follow one: on the active path, or on its newest branch if it is not there. */
async function pathAfter(state: ConversationState, number: number): Promise<readonly MessageRecord[]> {
  const { history } = state
  const isActive = history.records.some((record) => record.number === number)
  const { records } = isActive ? history : await state.historyTo(newestLeaf(await treeOf(state), number))
  return records.slice(records.findIndex((record) => record.number === number) + 1)
}

/** @param current returns the settings of the conversation as they are. */
function stepOptions(options: TurnOptions, current: () => ConversationSettings): StepOptions {
  const { onConflict = 'fail', toolOptions } = options
  // checkTurnOptions() refuses anything but a list of objects when the turn starts.
  const given = isToolList(options.tools) ? [...options.tools] : undefined
  const tools = given ?? []
  const overrides = settingsOf(options, given)
  const hasOverrides = Object.keys(overrides).length > 0
  let changed: { base: ConversationSettings; settings: ConversationSettings } | undefined
  return {
    settings: () => {
      const base = current()
      if (!hasOverrides) return base
      if (changed?.base !== base) changed = { base, settings: changeSettings(base, overrides) }
      return changed.settings
    },
    onConflict,
    tools,
    toolOptions,
    continuesAfter: (reply) => stepAfter(reply, tools).type !== 'stop',
  }
}

const updateNames = ['title', 'owner', 'metadata', 'shelf'] satisfies (keyof ConversationUpdate)[]
const turnNames = ['tools', 'toolOptions', 'signal', 'onConflict', 'key']
const toolOptionNames = ['timeoutMs', 'approve', 'maxRounds']
const conflictPolicies: readonly unknown[] = ['fail', 'queue', 'branch'] satisfies OnConflict[]

function checkTurnOptions(options: TurnOptions): void {
  checkSettingNames(options, turnNames, 'the turn')
  checkTools(options.tools)
  const { onConflict, toolOptions } = options
  if (toolOptions !== undefined) checkToolOptions(toolOptions)
  if (onConflict === undefined || conflictPolicies.includes(onConflict)) return
  throw new AnthropicError(
    `Cannot set onConflict as it must be one of ${conflictPolicies.join(', ')}: found ${describeValue(onConflict)}`,
  )
}

function checkRerun(rerun: unknown): void {
  if (typeof rerun === 'boolean') return
  throw new AnthropicError(`Cannot set rerun as it must be true or false: found ${describeValue(rerun)}`)
}

function checkToolOptions(options: TurnToolOptions): void {
  checkOptionNames(options, toolOptionNames, 'toolOptions')
  const { approve, ...limits } = options
  if (approve !== undefined && typeof approve !== 'function') {
    throw new AnthropicError(`Cannot set toolOptions.approve as it must be a function: found ${describeValue(approve)}`)
  }
  for (const [name, limit] of Object.entries<unknown>(limits)) {
    if (limit === undefined || (typeof limit === 'number' && limit > 0)) continue
    throw new AnthropicError(
      `Cannot set toolOptions.${name} as it must be a positive number: found ${describeValue(limit)}`,
    )
  }
}

/** A copy of the settings among the options of a turn. @param tools the tools of the turn, if it has its own. */
function settingsOf(options: TurnOptions, tools: StepOptions['tools'] | undefined): Partial<ConversationSettings> {
  const settings = Object.fromEntries(Object.entries(options).filter(([name]) => !turnNames.includes(name)))
  return copyOf(tools === undefined ? settings : { ...settings, tools: tools.map(definitionOf) })
}

/** The settings as JSON, with changes applied. Damaged settings are replaced. */
function settingsJson(json: string, changes: SettingsChanges): string {
  const settings = json === '' ? {} : (JSON.parse(json) as ConversationSettings)
  return wellFormedJson(JSON.stringify(changeSettings(settings, changes)))
}

function changesOf({ title, metadata, ...changes }: ConversationUpdate): Omit<ConversationChanges, 'at'> {
  if (changes.shelf != null) checkShelf(changes.shelf, 'change the conversation')
  return {
    ...changes,
    ...(title !== undefined && { title: (title && titleText(title)) || null }),
    ...(metadata !== undefined && { metadata: metadata && metadataJson(metadata) }),
  }
}
