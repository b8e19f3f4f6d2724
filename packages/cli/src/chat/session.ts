import type { Conversation, Conversations, ConversationSettings, Turn, TurnOptions } from 'colloquy/conversation'
import type { ContentBlockParam, MessageContentParam } from 'colloquy/protocol'
import { attach, attachmentLabel, mentionedFiles, type Attachment } from './attach.ts'
import { expensive, limitOf } from './budget.ts'
import type { Flags } from '../command.ts'
import type { Connection } from '../connect.ts'
import { failureOf } from '../failure.ts'
import { shortId } from './session.ts'
import { paintSpans, type Span } from '../terminal/style.ts'
import { wrap } from '../terminal/wrap.ts'
import { actions } from './actions.ts'
import { ReplyRun } from './reply-run.ts'
import { readLine, unknownCommand } from './slash.ts'
import type { Surface } from './surface.ts'

export interface ChatParts {
  surface: Surface
  connection: Connection
  chats: Conversations
  /** What a new chat begins with. */
  settings: ConversationSettings
  conversation: Conversation | undefined
  flags: Flags
  /** Nothing outlives the program. */
  isKept: boolean
}

/** A chat: lines go in, commands are carried out, messages are sent, replies are shown and kept. */
export class Chat {
  readonly surface: Surface
  readonly connection: Connection
  readonly chats: Conversations
  readonly flags: Flags
  readonly isKept: boolean
  settings: ConversationSettings
  conversation: Conversation | undefined
  /** What goes along with the next message. */
  attachments: Attachment[] = []
  /** The message that the next one takes the place of. */
  editing: string | undefined
  costStyle: 'off' | 'short' | 'full'
  /** The chats that were listed last, for choosing one by its number. */
  listed: string[] = []
  /** Set when the user wants to leave. */
  isOver = false
  /** The reply that is being received, or was last. */
  run: ReplyRun | undefined
  readonly #title: string | undefined
  /** An expensive message that was not sent yet. */
  #unconfirmed: string | undefined

  constructor({ surface, connection, chats, settings, conversation, flags, isKept }: ChatParts) {
    this.surface = surface
    this.connection = connection
    this.chats = chats
    this.settings = settings
    this.conversation = conversation
    this.flags = flags
    this.isKept = isKept
    this.costStyle = (flags.text('cost') as 'off' | 'short' | 'full' | undefined) ?? 'full'
    this.#title = flags.text('title')
  }

  /** The settings in force. */
  get current(): ConversationSettings {
    return this.conversation?.settings ?? this.settings
  }

  /** Carries out a line: a command, or a message. Never throws: what fails is said. */
  async line(text: string): Promise<void> {
    try {
      const line = readLine(text)
      if (line.kind === 'unknown') this.say(await unknownCommand(line.name))
      else if (line.kind === 'command') await actions[line.command.name]?.(this, line)
      else await this.#message(line.text)
    } catch (error) {
      this.fail(error)
    }
    this.surface.print('')
  }

  async configure(changes: Partial<ConversationSettings>): Promise<void> {
    this.settings = { ...this.settings, ...changes }
    await this.conversation?.configure(changes)
  }

  /** What holds for every turn. */
  get limit(): TurnOptions {
    return limitOf(this.flags, this.connection)
  }

  /** Shows what a turn answers, to its end. */
  async follow(begin: () => Turn): Promise<void> {
    this.run = new ReplyRun(this)
    await this.run.follow(begin)
  }

  /** A line about the program itself. */
  say(...lines: string[]): void {
    const { paint, columns } = this.surface
    const broken = lines.flatMap((line) => wrap([{ text: line, style: { dim: true } }], columns - 1))
    this.surface.print(...broken.map((spans) => paintSpans(spans, paint)))
  }

  fail(error: unknown, ...more: string[]): void {
    const { paint, columns } = this.surface
    const line: Span = { text: `✗ ${failureOf(error).line}`, style: { color: 'red' } }
    this.surface.print(...wrap([line], columns - 1).map((spans) => paintSpans(spans, paint)))
    if (more.length > 0) this.say(...more)
  }

  /** How to come back to this chat; nothing where there is nothing to come back to. */
  get resumeLine(): string | undefined {
    if (this.conversation === undefined || !this.isKept) return undefined
    return `resume: colloquy chat -r ${shortId(this.conversation.id)}`
  }

  /** Stops the reply that is being received. What arrived is kept. */
  stop(): void {
    this.run?.stop()
  }

  async #message(text: string): Promise<void> {
    const mentioned = await Promise.all(mentionedFiles(text).map((path) => attach(path)))
    const attachments = [...this.attachments, ...mentioned]
    for (const attachment of attachments) this.say(`  ⎘ ${attachmentLabel(attachment)}`)
    const blocks = attachments.map(({ block }) => block)
    const content: MessageContentParam = blocks.length === 0 ? text : [...blocks, textBlock(text)]
    const editing = this.editing
    const conversation = await this.#ensure()
    if (await this.#waitsForConfirmation(conversation, text, content)) return
    this.attachments = []
    this.editing = undefined
    await this.follow(() =>
      editing === undefined ? conversation.send(content, this.limit) : conversation.edit(editing, content, this.limit),
    )
  }

  /** Asks before a message that costs a lot: sending it once more is the answer. */
  async #waitsForConfirmation(
    conversation: Conversation,
    text: string,
    content: MessageContentParam,
  ): Promise<boolean> {
    const isConfirmed = this.#unconfirmed === text
    this.#unconfirmed = undefined
    const price = isConfirmed ? undefined : await expensive(conversation, content, this.connection)
    if (price === undefined) return false
    this.#unconfirmed = text
    this.say(`About ${price} for this message. Enter sends it all the same.`)
    this.surface.prefill(text)
    return true
  }

  /** A chat begins with its first message: one without any would only clutter the list. */
  async #ensure(): Promise<Conversation> {
    this.conversation ??= await this.chats.create({
      ...this.settings,
      ...(this.#title === undefined ? {} : { title: this.#title }),
    })
    return this.conversation
  }
}

function textBlock(text: string): ContentBlockParam {
  return { type: 'text', text }
}
