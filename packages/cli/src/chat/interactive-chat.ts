import { onStopSignal } from '../process.ts'
import { needsFirstEngine } from '../engine/choose.ts'
import { declineModel } from '../engine/chosen-engine.ts'
import type { EngineKind } from '../engine/engine-kind.ts'
import type { Flags } from '../flags.ts'
import { oneLine } from '../format.ts'
import { change, prefill, say } from './chat-state.ts'
import type { ChatSession } from './session.ts'
import type { TerminalSurface, UserInput } from './surface/terminal-surface.ts'

/** The speed of the offline engine: slow enough to read along and to stop it. */
const offlineWordsPerSecond = 40

/** Leaving twice within this time is leaving once. Milliseconds. */
const secondLeaveMs = 1_000

export interface InteractiveChatOptions {
  flags: Flags
  /** The first message; empty for none. */
  words: readonly string[]
  /** Undefined if the engine has to be looked for. */
  engine: EngineKind | undefined
}

/**
 * A chat on a terminal. Carries out what the user does, in order: a line that is sent during a reply waits in a queue, and
 * lines sent before the session is open wait until it is.
 */
export class InteractiveChat {
  readonly #surface: TerminalSurface
  readonly #inputs: AsyncIterable<UserInput> & { push(input: UserInput): void }
  readonly #flags: Flags
  readonly #queue: string[]
  readonly #engine: EngineKind | undefined
  /** Aborts the search for an engine, or its download, while one is in progress. */
  #search: AbortController | undefined
  /** Aborts the start of the MCP servers. */
  readonly #start = new AbortController()
  #session: ChatSession | undefined
  #isLeaving = false
  /** The line that is being carried out. */
  #current: Promise<void> | undefined

  constructor(
    surface: TerminalSurface,
    inputs: AsyncIterable<UserInput> & { push(input: UserInput): void },
    { flags, words, engine }: InteractiveChatOptions,
  ) {
    this.#surface = surface
    this.#inputs = inputs
    this.#flags = flags
    this.#engine = engine
    this.#queue = words.length > 0 ? [words.join(' ')] : []
  }

  /** How to return to this chat later. Undefined if it was not saved. */
  get resumeHint(): string | undefined {
    return this.#session?.resumeHint
  }

  /** Runs until the user leaves. Returns the exit code. */
  async run(): Promise<number> {
    let hasLeft = false
    const stopListening = onStopSignal((exitCode) => this.#inputs.push({ kind: 'leave', exitCode }))
    try {
      const opening = this.#open()
      for await (const input of this.#inputs) {
        if (input.kind !== 'leave') {
          this.#carryOut(input)
          continue
        }
        void leftAgain(this.#inputs, () => hasLeft).then(() => this.#endAtOnce(stopListening))
        return await this.#leave(input.exitCode, opening)
      }
      return 0
    } finally {
      hasLeft = true
      stopListening()
    }
  }

  /** Opens the session while the user may already type. Leaves if it cannot be opened. */
  async #open(): Promise<void> {
    try {
      const engine = this.#engine ?? (await this.#findEngine())
      if (this.#isLeaving) return
      const { openSession } = await import('./open-session.ts')
      if (this.#flags.text('mcp') !== undefined) {
        this.#surface.showProgress('Starting the MCP servers … · Esc continues without them')
        this.#surface.showBusy(true, this.#queue)
      }
      const { session, mentions, isContinued, isFirst } = await openSession(this.#surface, this.#flags, {
        engine,
        wordsPerSecond: offlineWordsPerSecond,
        signal: this.#start.signal,
      })
      this.#session = session
      this.#surface.mentions = mentions
      this.#surface.showProgress('')
      if (this.#isLeaving) return
      if (isContinued) this.#surface.print('')
      else if (this.#flags.has('resume')) this.#queue.unshift('/resume')
      else if (isFirst && this.#queue.length === 0) this.#surface.hint(exampleMessages(engine))
      this.#submitNext(session)
    } catch (error) {
      const [{ showError }, { describeError }] = await Promise.all([
        import('./surface/show.ts'),
        import('../errors/describe-error.ts'),
      ])
      showError(this.#surface, error)
      this.#inputs.push({ kind: 'leave', exitCode: describeError(error).exitCode })
    }
  }

  /** Looks for an engine while the user may already type: the lines wait. Ctrl-C uses the offline engine. */
  async #findEngine(): Promise<EngineKind> {
    const surface = this.#surface
    this.#search = new AbortController()
    surface.showBusy(true, this.#queue)
    const [{ findEngine }, { ProgressText }, { foundGreeting }, { showNotes }] = await Promise.all([
      import('../engine/first-engine.ts'),
      import('../terminal/progress-line.ts'),
      import('./greeting.ts'),
      import('./surface/show.ts'),
    ])
    const engine = await findEngine(this.#flags, {
      mayFetch: true,
      say: (line) => showNotes(surface, [line]),
      progress: (title) => new ProgressText(title, (line) => surface.showProgress(line)),
      signal: this.#search.signal,
      isStoppedByUser: true,
    })
    this.#search = undefined
    surface.showBusy(false, [])
    showNotes(surface, [...foundGreeting(this.#flags, engine), ''])
    return engine
  }

  #carryOut(input: Exclude<UserInput, { kind: 'leave' }>): void {
    const session = this.#session
    switch (input.kind) {
      case 'line':
        this.#queue.push(input.text)
        return session === undefined ? this.#surface.showBusy(true, this.#queue) : this.#submitNext(session)
      case 'stop':
        return this.#stop()
      case 'escape':
        return void this.#escape(input.isSecond)
      case 'image':
        if (session === undefined) return this.#surface.hint(['The chat is not open yet: paste the image again'])
        return void session.attachImage(input.bytes)
      case 'thinking':
        if (session !== undefined && session.thinking !== '') {
          void session.perform([say(...session.thinking.trimEnd().split('\n'))])
        }
    }
  }

  /** Carries out the next line of the queue, unless one is being carried out. */
  #submitNext(session: ChatSession): void {
    if (this.#current === undefined) {
      const text = this.#queue.shift()
      if (text !== undefined) {
        this.#surface.printSent(text)
        this.#current = this.#submit(session, text)
      }
    }
    this.#surface.showBusy(this.#current !== undefined, this.#queue)
  }

  async #submit(session: ChatSession, text: string): Promise<void> {
    await session.submit(text)
    this.#current = undefined
    if (session.state.shouldExit) this.#inputs.push({ kind: 'leave', exitCode: 0 })
    else this.#submitNext(session)
  }

  /** Stops the reply and puts the queued lines back into the editor: they were written for the complete reply. */
  #stop(): void {
    if (this.#search !== undefined) {
      // The lines that wait are for the offline engine then.
      if (needsFirstEngine(this.#flags)) declineModel()
      return this.#search.abort()
    }
    // The lines that wait are for the chat without those servers then.
    if (this.#session === undefined) return this.#start.abort()
    this.#session.stop()
    const queued = this.#queue.splice(0)
    if (queued.length > 0) {
      this.#surface.prefill([...queued, this.#surface.draft].filter((text) => text !== '').join('\n'))
    }
    this.#surface.showBusy(this.#current !== undefined, this.#queue)
  }

  async #escape(isSecond: boolean): Promise<void> {
    const session = this.#session
    if (session?.state.editedMessageId !== undefined) {
      const unchanged = say('The message was not changed.')
      return session.perform([change({ editedMessageId: undefined }), unchanged, prefill('')])
    }
    if (isSecond) this.#carryOut({ kind: 'line', text: '/edit' })
  }

  /** Stops the reply in flight, waits until it is saved, and closes the chats. */
  async #leave(exitCode: number, opening: Promise<void>): Promise<number> {
    this.#isLeaving = true
    this.#search?.abort()
    this.#start.abort()
    this.#surface.cancelPick()
    const dropped = this.#queue.splice(0)
    await opening
    this.#session?.stop()
    await this.#current
    this.#surface.print(...dropped.map((text) => this.#surface.paint(`not sent: ${oneLine(text)}`, { dim: true })))
    await this.#session?.close()
    return exitCode
  }

  /** Ends the program without waiting: a command may never end, such as /attach of a named pipe that no program writes. */
  #endAtOnce(stopListening: () => void): void {
    this.#surface.close()
    stopListening()
    // `process.exit()` would wait for the thread that waits.
    process.kill(process.pid)
  }
}

/** Waits until the user leaves for the second time. Never resolves once the first has succeeded. */
async function leftAgain(inputs: AsyncIterable<UserInput>, hasLeft: () => boolean): Promise<void> {
  const leftAt = performance.now()
  for await (const { kind } of inputs) {
    if (kind === 'leave' && !hasLeft() && performance.now() - leftAt >= secondLeaveMs) return
  }
}

function exampleMessages({ kind }: EngineKind): string[] {
  return [
    'For example:',
    '  Explain @README.md in three sentences',
    '  What is the difference between a thread and a process?',
    // The offline engine can count; a small model had rather invent.
    kind === 'offline' ? '  Count to 20' : '  Give me three names for a cat',
  ]
}
