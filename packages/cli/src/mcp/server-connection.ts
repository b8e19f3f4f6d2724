import {
  Client,
  type ElicitRequestParams,
  type ElicitResult,
  type ProgressCallback,
  type Prompt,
  type Resource,
  type ResourceTemplateType,
  SdkHttpError,
  type Tool,
} from '@modelcontextprotocol/client'
import { cutText } from 'colloquy/protocol'
import type { MCPBlock, MCPCallToolResultLike } from 'colloquy/tools'
import { ExitCode, ExitError, UsageError } from '../exit.ts'
import { oneLine } from '../format.ts'
import { type Connector, connectorFor } from './connector.ts'
import { failureReason, isClosed, isUnauthorized, withReadableMessage } from './failure-reason.ts'
import { refusedParameter, withTakenSchema } from './input-schema.ts'
import { readableBlock } from './readable-content.ts'
import type { McpServer } from './server-file.ts'
import { SignedIn } from './sign-in/signed-in.ts'

/** The longest time until a server lists its tools. The first start of one with `npx` fetches it. Milliseconds. */
const startMs = 60_000

/** The longest wait of a timer: 24 days. Milliseconds. */
const maxTimerMs = 2 ** 31 - 1

/** The options of requests that a user waits for. */
const brief = { timeout: 10_000 }

/** The tool to call, and its input. */
export interface ToolParams {
  name: string
  arguments?: Record<string, unknown>
}

/** Answers a question of a server for the user. */
export type AnswerQuestion = (server: string, params: ElicitRequestParams, signal: AbortSignal) => Promise<ElicitResult>

/** The most messages of a server that are kept. */
const maxMessages = 20
/** The most characters of one. */
const maxMessage = 200

/** A server of the file, and the connection to it. A call connects again if the server has ended. */
export class ServerConnection {
  readonly server: McpServer
  readonly #answer: AnswerQuestion | undefined
  /** The last messages that the server wrote for its log. */
  readonly messages: string[] = []
  #link: Link | undefined
  /** The tools that can run, also those that the API refuses. */
  #tools: readonly Tool[] = []
  #failure = 'it was not started'
  /** Undefined for a program, and if the headers of the file have a token. */
  readonly #signedIn: SignedIn | undefined

  /** @param answer without it the server is told that the user cannot be asked. */
  constructor(server: McpServer, answer?: AnswerQuestion) {
    this.server = server
    this.#answer = answer
    const isSignedIn = server.kind !== 'program' && !new Headers(server.headers).has('authorization')
    this.#signedIn = isSignedIn ? new SignedIn(server.url) : undefined
  }

  /** The tools that the server listed last, also after it has ended. */
  get tools(): Tool[] {
    return this.#tools.filter((tool) => refusedParameter(tool) === undefined).map(withTakenSchema)
  }

  /** Sentences about the tools that the API would refuse. */
  get leftOut(): string[] {
    return this.#tools.flatMap((tool) => {
      const parameter = refusedParameter(tool)
      return parameter === undefined
        ? []
        : [`Cannot use the tool ${tool.name} of ${this.server.name}: the API refuses its parameter ${parameter}`]
    })
  }

  /** The reason why the server cannot be used. Undefined while it can. */
  get failure(): string | undefined {
    return this.#link === undefined ? this.#failure : undefined
  }

  /** The client of a server that can be used. Connects if it is not connected. Throws an `ExitError` that names the server. */
  async client(signal?: AbortSignal): Promise<Client> {
    if (this.#link === undefined) await this.open(signal)
    if (this.#link !== undefined) return this.#link.client
    throw this.#unusable()
  }

  /** Starts or reaches the server and lists its tools. If that fails, `failure` has the reason. */
  async open(signal?: AbortSignal): Promise<void> {
    await this.close()
    const link = this.#newLink()
    const options = { timeout: startMs, ...(signal && { signal }) }
    const kill = (): void => link.kill()
    signal?.addEventListener('abort', kill, { once: true })
    try {
      signal?.throwIfAborted()
      await link.client.connect(link.transport, options)
      const { tools } = link.client.getServerCapabilities()?.tools
        ? await link.client.listTools(undefined, options)
        : { tools: [] }
      this.#tools = callable(tools)
      this.#link = link
    } catch (error) {
      this.#failure = signal?.aborted
        ? 'it was stopped before it was ready'
        : failureReason(this.server.name, error, link.lastWords())
      await link.client.close().catch(() => {})
    } finally {
      signal?.removeEventListener('abort', kill)
    }
  }

  /**
   * Signs the user in at the server, and connects. Throws a `UsageError` if the server needs no sign-in, and an `ExitError` if the
   * sign-in fails.
   */
  async signIn(openPage: (url: URL) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { server } = this
    if (server.kind === 'program')
      throw new UsageError(`Cannot sign in at ${server.name}: it is a program, not an address`)
    if (this.#signedIn === undefined)
      throw new UsageError(`Cannot sign in at ${server.name}: its headers in the file have a token`)
    const { signIn } = await import('./sign-in/sign-in.ts')
    await signIn(server, { challenge: this.#signedIn.challenge, openPage, signal })
    await this.open(signal)
  }

  /** Forgets the sign-in at the server, and connects without it. */
  async signOut(signal: AbortSignal): Promise<void> {
    this.#signedIn?.forget()
    await this.open(signal)
  }

  /** Calls a tool. Aborting the signal cancels the call at the server. Its progress is passed on. */
  async callTool(
    params: ToolParams,
    signal: AbortSignal | undefined,
    onprogress: ProgressCallback,
  ): Promise<MCPCallToolResultLike> {
    // The tool loop limits the time, by aborting the signal.
    const options = { timeout: maxTimerMs, onprogress, ...(signal && { signal }) }
    const client = await this.client(signal)
    try {
      return await client.callTool(params, options)
    } catch (error) {
      signal?.throwIfAborted()
      if (isClosed(error)) throw this.#unusable()
      if (isUnauthorized(error)) {
        await this.close()
        this.#failure = failureReason(this.server.name, error, '')
        throw this.#unusable()
      }
      // The server no longer knows the session, so it has not run the call.
      if (!(error instanceof SdkHttpError) || error.status !== 404) throw withReadableMessage(error)
      await this.open(signal)
      return (await this.client(signal)).callTool(params, options)
    }
  }

  /** The prompts that the server offers. Empty if it has none or cannot be used. */
  async prompts(): Promise<Prompt[]> {
    const client = this.#link?.client
    return client?.getServerCapabilities()?.prompts ? (await client.listPrompts(undefined, brief)).prompts : []
  }

  /** The resources that the server lists. Empty if it has none or cannot be used. */
  async resources(): Promise<Resource[]> {
    const client = this.#link?.client
    return client?.getServerCapabilities()?.resources ? (await client.listResources(undefined, brief)).resources : []
  }

  /** A prompt for a message: its text, and its content that is not text. The model's part of it is marked. */
  async prompt(name: string, given: Record<string, string>): Promise<{ text: string; blocks: MCPBlock[] }> {
    const { messages } = await (await this.client()).getPrompt({ name, arguments: given }, brief)
    const said = messages.map(({ role, content }) => ({ role, block: readableBlock(content) }))
    const texts = said.flatMap(({ role, block }) =>
      block.type === 'text' ? [role === 'assistant' ? `Assistant: ${block.text}` : block.text] : [],
    )
    return { text: texts.join('\n\n'), blocks: said.map(({ block }) => block).filter(({ type }) => type !== 'text') }
  }

  /** The kinds of resources whose addresses have parts to fill in. Empty if the server has none or cannot be used. */
  async resourceTemplates(): Promise<ResourceTemplateType[]> {
    const client = this.#link?.client
    if (!client?.getServerCapabilities()?.resources) return []
    return (await client.listResourceTemplates(undefined, brief)).resourceTemplates
  }

  /** The contents of a resource. */
  async resource(uri: string): Promise<MCPBlock[]> {
    const { contents } = await (await this.client()).readResource({ uri }, brief)
    return contents.map((resource) => readableBlock({ type: 'resource', resource }))
  }

  /** Ends the connection, and the program. */
  async close(): Promise<void> {
    const link = this.#link
    this.#link = undefined
    this.#failure = 'it was closed'
    await link?.client.close().catch(() => {})
  }

  #newLink(): Link {
    const { server } = this
    const answer = this.#answer
    const client = new Client(
      { name: 'colloquy', version: '1' },
      {
        capabilities: answer === undefined ? {} : { elicitation: { form: {}, url: {} } },
        listChanged: { tools: { onChanged: (_, tools) => (this.#tools = tools ? callable(tools) : this.#tools) } },
      },
    )
    if (answer !== undefined)
      client.setRequestHandler('elicitation/create', ({ params }, { mcpReq }) =>
        answer(server.name, params, mcpReq.signal),
      )
    client.setNotificationHandler('notifications/message', ({ params: { level, data } }) => {
      const text = typeof data === 'string' ? data : JSON.stringify(data)
      this.messages.push(`${level}: ${cutText(oneLine(text), maxMessage)}`)
      this.messages.splice(0, this.messages.length - maxMessages)
    })
    const link: Link = { client, ...connectorFor(server, this.#signedIn) }
    // The client takes a callback, not listeners.
    // oxlint-disable-next-line unicorn/prefer-add-event-listener
    client.onclose = () => {
      if (this.#link !== link) return
      this.#link = undefined
      this.#failure = link.lastWords() || 'it has ended'
    }
    return link
  }

  #unusable(): ExitError {
    return new ExitError(ExitCode.failed, `Cannot use the MCP server ${this.server.name}: ${this.#failure}`)
  }
}

interface Link extends Connector {
  client: Client
}

/** The tools without those that run only as a task of the protocol, which this client does not have. */
function callable(tools: readonly Tool[]): Tool[] {
  return tools.filter(({ execution }) => execution?.taskSupport !== 'required')
}
