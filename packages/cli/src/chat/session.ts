import { ConversationConflictError, type Conversation, type Turn } from 'colloquy/conversation'
import { APIUserAbortError } from 'colloquy/protocol'
import { keyAdvice } from '../engine/credentials.ts'
import { MarkdownStream } from '../markdown/markdown-stream.ts'
import { attachBytes } from './content/attach.ts'
import { change, say, type ChatContext, type ChatState, type Effect } from './chat-state.ts'
import { conflictEffects, messageEffects } from './message.ts'
import { TurnDisplay } from './reply/follow-turn.ts'
import { ReplyProgress } from './reply/reply-progress.ts'
import { failureNotes, replyNotes } from './reply/turn-report.ts'
import { attachEffects } from './slash/attachments.ts'
import { promptEffects } from './slash/mcp.ts'
import type { SlashInput } from './slash/command.ts'
import { readLine } from './slash/read-line.ts'
import { unknownCommand } from './slash/table.ts'
import { resumeHint } from './stored-chats.ts'
import { showError, showMessage, showNotes } from './surface/show.ts'
import type { Surface } from './surface/surface.ts'

export type WrapMode = 'word' | 'soft' | 'off'

/** A chat on a surface: turns each line into effects and carries them out. */
export class ChatSession {
  readonly #surface: Surface
  readonly #context: ChatContext
  readonly #wrap: WrapMode | undefined
  #state: ChatState
  /** The last message on the screen. */
  #lastShownId: string | undefined
  /** How many of the first messages of a chat its last reply left out. */
  readonly #leftOut = new WeakMap<Conversation, number>()
  #isStopped = false
  #turn: Turn | undefined
  /** Aborts the task that runs. */
  #task: AbortController | undefined
  #display: TurnDisplay | undefined
  #progress: ReplyProgress | undefined

  constructor(surface: Surface, context: ChatContext, state: ChatState, wrap: WrapMode | undefined) {
    this.#surface = surface
    this.#context = context
    this.#state = state
    this.#lastShownId = lastIdOf(state)
    this.#wrap = wrap
  }

  get state(): ChatState {
    return this.#state
  }

  /** How to return to this chat later. Undefined if it was not saved. */
  get resumeHint(): string | undefined {
    return resumeHint(this.#state.conversation, this.#context.isSaved)
  }

  /** Whether a reply or a task is in progress, which `stop()` ends. */
  get isBusy(): boolean {
    return this.#turn !== undefined || this.#task !== undefined
  }

  /** The thinking of the reply in flight, or of the last one. */
  get thinking(): string {
    return this.#progress?.thinking ?? ''
  }

  /** Carries out a line: a command or a message. Shows errors instead of throwing them. */
  async submit(text: string): Promise<void> {
    this.#isStopped = false
    const before = this.#state
    try {
      await this.perform(
        await effectsOf(text, { state: before, context: this.#context, columns: this.#surface.columns }),
      )
      this.#lastShownId = lastIdOf(this.#state)
    } catch (error) {
      if (error instanceof ConversationConflictError) await this.#explainConflict(error, text, before)
      else showError(this.#surface, error)
    }
    this.#surface.print('')
  }

  /** Stops the reply in flight. The part that has arrived is saved. */
  stop(): void {
    this.#isStopped = true
    this.#turn?.abort()
    this.#task?.abort(new APIUserAbortError())
  }

  /** Shows a line about a call of a tool, or about a question of its server. */
  showCall(line: string): void {
    this.#progress?.setCall(undefined)
    return this.#display === undefined ? showNotes(this.#surface, [line]) : this.#display.note(line)
  }

  /** Shows how far the call of a tool has come. */
  showProgress(text: string): void {
    this.#progress?.setCall(text)
    this.#surface.touch()
  }

  /** Attaches an image of the clipboard to the next message. */
  async attachImage(bytes: Uint8Array): Promise<void> {
    try {
      await this.perform(attachEffects(this.#state, await attachBytes(bytes, 'image from the clipboard')))
    } catch (error) {
      showError(this.#surface, error)
    }
    this.#surface.print('')
  }

  async perform(effects: readonly Effect[]): Promise<void> {
    for (const effect of effects) await this.#performOne(effect)
  }

  /** Closes the chats. */
  async close(): Promise<void> {
    await this.#context.chats.close()
    await this.#context.connection.close()
    await this.#context.ledger.close()
    await this.#context.tools?.close()
  }

  async #performOne(effect: Effect): Promise<void> {
    const surface = this.#surface
    switch (effect.kind) {
      case 'say':
        return showNotes(surface, effect.lines)
      case 'print':
        return surface.print(...effect.text.split('\n'))
      case 'messages':
        return effect.messages.forEach((message) => showMessage(surface, message))
      case 'change':
        this.#state = { ...this.#state, ...effect.changes }
        return
      case 'prefill':
        return surface.prefill(effect.text)
      case 'copy':
        return surface.copy(effect.text)
      case 'look':
        return surface.setLook(effect.look)
      case 'pick':
        return this.#pick(effect)
      case 'task':
        return this.#runTask(effect)
      case 'turn':
        await this.#checkUnchanged()
        return this.#runTurn(effect.begin())
    }
  }

  async #pick({ source, onPick, otherwise }: Extract<Effect, { kind: 'pick' }>): Promise<void> {
    if (this.#surface.pick === undefined) return this.perform(await otherwise())
    const picked = await this.#surface.pick(source)
    return this.perform(picked === undefined ? [say('Nothing was chosen.')] : await onPick(picked))
  }

  async #runTask({ run }: Extract<Effect, { kind: 'task' }>): Promise<void> {
    this.#task = new AbortController()
    try {
      await this.perform(await run((effects) => this.perform(effects), this.#task.signal))
    } finally {
      this.#task = undefined
    }
  }

  async #runTurn(turn: Turn): Promise<void> {
    const { connection, tools } = this.#context
    const surface = this.#surface
    const wrap = this.#wrap && { wrap: this.#wrap }
    const newMarkdown = (): MarkdownStream =>
      new MarkdownStream({ columns: surface.columns, paint: surface.paint, ...wrap })
    const progress = new ReplyProgress()
    const options = { surface, newMarkdown, progress, latest: connection.latest, tools: tools?.names ?? [] }
    this.#display = new TurnDisplay(options)
    this.#turn = turn
    this.#progress = progress
    if (this.#isStopped) turn.abort()
    const end = await this.#display.follow(turn)
    this.#turn = undefined
    this.#display = undefined
    const { kind: engine } = connection
    const conversation = this.#conversation
    const leftOut = this.#leftOut.get(conversation) ?? 0
    const facts = { conversation, progress, engine, leftOut, keyAdvice: keyAdvice(engine) }
    if (end.kind === 'finished') {
      this.#leftOut.set(conversation, end.reply.window?.dropped ?? 0)
      return showNotes(this.#surface, await replyNotes(end.reply, facts, this.#state.costStyle))
    }
    if (end.error instanceof ConversationConflictError) throw end.error
    const { error, lines } = failureNotes(end.error, turn.message, facts)
    if (error !== undefined) showError(this.#surface, error)
    showNotes(this.#surface, lines)
  }

  /** Throws a `ConversationConflictError` if another program added messages that are not on the screen. */
  async #checkUnchanged(): Promise<void> {
    const conversation = this.#conversation
    await conversation.refresh()
    const lastId = lastIdOf(this.#state)
    if (lastId !== this.#lastShownId) throw new ConversationConflictError(conversation.id, 'moved', lastId)
  }

  /** Shows what another program added to the chat, and keeps a message that was refused because of it for `/retry`. */
  async #explainConflict({ reason }: ConversationConflictError, text: string, before: ChatState): Promise<void> {
    const conversation = this.#conversation
    await conversation.refresh()
    const line = readLine(text)
    const unsentText = line.kind === 'message' ? line.text : before.unsentText
    await this.perform([
      change({ ...before, conversation, unsentText }),
      ...conflictEffects(conversation, reason, this.#lastShownId),
      say(unsentText === undefined ? 'Nothing was sent.' : 'Your message was not sent. /retry sends it.'),
    ])
    if (reason === 'moved') this.#lastShownId = lastIdOf(this.#state)
  }

  get #conversation(): Conversation {
    const { conversation } = this.#state
    if (conversation === undefined) throw new Error('Cannot report on a turn: no conversation is open')
    return conversation
  }
}

function lastIdOf({ conversation }: ChatState): string | undefined {
  return conversation?.messages.at(-1)?.id
}

type Sitting = Pick<SlashInput, 'state' | 'context' | 'columns'>

/** The effects of a line: those of a command, or of sending a message. */
async function effectsOf(text: string, sitting: Sitting): Promise<readonly Effect[]> {
  const line = readLine(text)
  switch (line.kind) {
    case 'unknown': {
      const input = { ...sitting, words: line.words, rest: line.rest }
      return (await promptEffects(line.name, input)) ?? [say(await unknownCommand(line.name))]
    }
    case 'command':
      return line.command.run({ ...sitting, words: line.words, rest: line.rest })
    case 'message':
      return messageEffects(line.text, sitting.state, sitting.context)
  }
}
