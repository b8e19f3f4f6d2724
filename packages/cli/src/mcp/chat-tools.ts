import type { ConversationRoutesOptions } from '@colloquy/server'
import type { TurnOptions } from 'colloquy/conversation'
import { APIUserAbortError, cutText } from 'colloquy/protocol'
import { mcpTool, type RunnableTool, type ToolOutput } from 'colloquy/tools'
import type { Progress } from '@modelcontextprotocol/client'
import { UsageError } from '../exit.ts'
import { byteText, countText, latencyText, oneLine, resultText } from '../format.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { limitedOutput } from './limited-output.ts'
import { type McpServer, readServerFile } from './server-file.ts'
import { answersTo, type Asked } from './server-questions.ts'
import { type AnswerQuestion, ServerConnection, type ToolParams } from './server-connection.ts'
import { readableResult } from './readable-content.ts'

/** Shows calls of tools, and asks for them. */
export interface ToolHost {
  /** Shows a line about a call. */
  show(line: string): void
  /** Shows how far a call has come, until something else happens. */
  showProgress?(text: string): void
  /** Asks whether the model may call a tool. */
  ask(call: ToolCall): Promise<Permission>
}

/** A call that needs a permission. */
export interface ToolCall {
  name: string
  /** Aborts with the turn. */
  signal: AbortSignal | undefined
}

/** `always`: also later calls of the tool. The model reads the reason of a refusal. */
export type Permission = 'once' | 'always' | { reason: string }

/** The most characters of the input of a call that needs no permission, and of an error. */
const maxShown = 200

export interface OpenToolsOptions {
  /** Aborts the start of servers that are not ready. */
  signal?: AbortSignal | undefined
  /** Answers questions of the servers. Default: they are told that the user cannot be asked. */
  user?: Asked | undefined
}

/** The tools of the MCP servers of a file, for the turns of a chat. */
export class ChatTools {
  readonly connections: readonly ServerConnection[]
  /** Names of tools that may be called without asking; `*` stands for any characters. */
  readonly #allowed: string[]
  /** One question at a time, although calls run at the same time. */
  #asked: Promise<unknown> = Promise.resolve()

  private constructor(servers: readonly McpServer[], allowed: readonly string[], user: Asked | undefined) {
    const answer: AnswerQuestion | undefined =
      user && ((server, params, signal) => this.#next(() => answersTo(server, params, user, signal)))
    this.connections = servers.map((server) => new ServerConnection(server, answer))
    this.#allowed = [...allowed]
  }

  /**
   * Starts the servers of a file, all at once. One that cannot be used is among the `failures`; so are those that are not ready when
   * the signal aborts. Throws a `UsageError` for a mistake in the file, or if two tools have the same name.
   */
  static async open(
    path: string,
    allowed: readonly string[],
    { signal, user }: OpenToolsOptions = {},
  ): Promise<ChatTools> {
    const tools = new ChatTools(await readServerFile(path), allowed, user)
    const { connections } = tools
    await Promise.all(connections.map((connection) => connection.open(signal)))
    const names = connections.flatMap((connection) => toolsOf(connection)).map(({ name }) => name)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice === undefined) return tools
    await tools.close()
    throw new UsageError(`Cannot use ${path}: two tools have the name ${twice}`)
  }

  /** Sentences about the servers that cannot be used. */
  get failures(): string[] {
    return this.connections.flatMap(({ server, failure }) =>
      failure === undefined ? [] : [`Cannot use the MCP server ${server.name}: ${failure}`],
    )
  }

  /** Sentences about the tools that the API would refuse. */
  get leftOut(): string[] {
    return this.connections.flatMap((connection) => connection.leftOut)
  }

  /** The tools that the servers list now. One whose name is taken is left out: the API refuses two of one name. */
  #tools(host?: ToolHost): RunnableTool[] {
    const tools = this.connections.flatMap((connection) => toolsOf(connection, host))
    return [...new Map(tools.toReversed().map((tool) => [tool.name, tool])).values()].toReversed()
  }

  get names(): string[] {
    return this.#tools().map(({ name }) => name)
  }

  /** A line for each tool: its name and what it does. */
  get lines(): string[] {
    return this.#tools().map((tool) => {
      const about = 'description' in tool ? (tool.description ?? '') : ''
      return `${this.#allows(tool.name) ? '✓' : ' '} ${tool.name}  ${about.split('\n')[0]!}`.trimEnd()
    })
  }

  /** The options of a server of conversations whose model may call the tools. */
  get serverOptions(): Pick<Required<ConversationRoutesOptions>, 'tools' | 'runsUnasked'> {
    return { tools: () => this.#tools(), runsUnasked: (name) => this.#allows(name) }
  }

  /** The options of a turn whose model may call the tools. */
  turnOptions(host: ToolHost): Pick<TurnOptions, 'tools' | 'toolOptions'> {
    return {
      tools: this.#tools(host).map((tool) => shown(tool, host)),
      toolOptions: {
        approve: async ({ name, input }, { signal }) => {
          const json = safeJson(input)
          if (this.#allows(name)) {
            host.show(`⚙ ${name} ${cut(json)}`)
            return true
          }
          return this.#next(() => this.#ask({ name, signal }, `⚙ ${name} ${json}`, host))
        },
      },
    }
  }

  /** Ends the connections and the programs. */
  async close(): Promise<void> {
    await Promise.allSettled(this.connections.map((connection) => connection.close()))
  }

  /** Asks the user something when the questions before it are answered. */
  #next<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#asked.then(ask)
    this.#asked = asked.catch(() => {})
    return asked
  }

  async #ask(call: ToolCall, line: string, host: ToolHost): Promise<boolean | string> {
    // The user stopped the turn at the question before.
    if (call.signal?.aborted) return 'the user stopped the turn'
    host.show(line)
    // An earlier call of the same reply may have been allowed for always.
    if (this.#allows(call.name)) return true
    const permission = await host.ask(call)
    if (permission === 'always') this.#allowed.push(call.name)
    return typeof permission === 'object' ? permission.reason : true
  }

  #allows(name: string): boolean {
    return this.#allowed.some((pattern) => matches(pattern, name))
  }
}

/** The tools of a server, with its name before theirs, as two servers may have a tool of the same name. */
function toolsOf(connection: ServerConnection, host?: ToolHost): RunnableTool[] {
  const { server, tools } = connection
  return tools.map((tool) => {
    // The API takes these characters only, 128 at most.
    const name = `${server.name}__${tool.name}`.replaceAll(/[^\w-]/g, '_').slice(0, 128)
    const onProgress = (progress: Progress): void => host?.showProgress?.(`${name} ${progressText(progress)}`)
    const made = mcpTool(tool, {
      callTool: async (params: ToolParams, options?: { signal?: AbortSignal }) =>
        readableResult(await connection.callTool(params, options?.signal, onProgress)),
    })
    return {
      ...made,
      name,
      ...(server.timeoutMs !== undefined && { timeoutMs: server.timeoutMs }),
      run: async (input, context) => limitedOutput(await made.run(input as Record<string, unknown>, context)),
    }
  })
}

/** `3 of 10 · reading a.txt`. */
function progressText({ progress, total, message }: Progress): string {
  const part = total === undefined ? `${progress}` : `${progress} of ${total}`
  return message === undefined ? part : `${part} · ${cut(oneLine(message))}`
}

/** The tool, whose results are shown. */
function shown(tool: RunnableTool, host: ToolHost): RunnableTool {
  return {
    ...tool,
    run: async (input, context) => {
      const startedAt = performance.now()
      const end = (what: string): void => {
        host.show(`  └ ${tool.name}: ${what} · ${latencyText(performance.now() - startedAt)}`)
      }
      try {
        const output = await tool.run(input, context)
        end(sizeOf(output))
        return output
      } catch (error) {
        end(error instanceof APIUserAbortError ? 'stopped' : cut((error as Error).message))
        throw error
      }
    },
  }
}

function sizeOf(output: ToolOutput): string {
  const isContent = typeof output === 'string' || Array.isArray(output)
  const text = isContent ? resultText(output) : (JSON.stringify(output) ?? '')
  const lines = text.split('\n')
  return lines.length === 1 && text.length <= 80
    ? text || 'done'
    : `${countText(lines.length, 'line')}, ${byteText(Buffer.byteLength(text))}`
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[^\w-]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`).test(name)
}

function cut(text: string): string {
  return text.length <= maxShown ? text : `${cutText(text, maxShown)} (${text.length - maxShown} more characters)`
}
