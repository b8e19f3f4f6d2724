import type { ParsedOf } from '../../protocol/json/parsed-message.ts'
import type { ResourceClient } from './resource-client.ts'
import { Files } from './files.ts'
import { MessageMethods } from './message-methods.ts'
import { Models } from './models.ts'
import type { RequestOptions } from '../request/options.ts'
import { MessageThread, type ThreadRunnerSettings } from '../agents/thread.ts'
import type { ThreadParams } from '../agents/thread-params.ts'
import { ToolRunner } from '../agents/tool-runner.ts'
import { ToolError } from '../../tools/tool-error.ts'
import type { ToolRunnerParams } from '../agents/tool-runner-state.ts'

/** `client.beta.messages`: `client.messages` with the `betas` parameter, tool runners and threads. */
export class BetaMessages extends MessageMethods {
  static readonly BetaToolRunner: typeof ToolRunner = ToolRunner
  static readonly ToolError: typeof ToolError = ToolError

  /** Runs the tools that replies call until a reply calls none. Sends nothing until it is iterated or awaited. */
  toolRunner(params: ToolRunnerParams & { stream?: false }, options?: RequestOptions): ToolRunner<false>
  toolRunner(params: ToolRunnerParams & { stream: true }, options?: RequestOptions): ToolRunner<true>
  toolRunner(params: ToolRunnerParams, options?: RequestOptions): ToolRunner
  toolRunner(given: ToolRunnerParams, options?: RequestOptions): ToolRunner {
    const params = given ?? {}
    const { thread, stream, max_iterations, approve, timeoutMs, runToolsEagerly, ...fields } = params
    if (!thread) return new ToolRunner(this, params, options)
    const settings = { stream, max_iterations, approve, timeoutMs, runToolsEagerly } as ThreadRunnerSettings & {
      stream: true
    }
    return this.thread({ ...fields, unsupportedRequestBehavior: 'continue_unthreaded' }).toolRunner(settings, options)
  }

  /** Creates a conversation that the server keeps between turns. Sends nothing. */
  thread<const Params extends ThreadParams>(params: Params, options?: RequestOptions): MessageThread<ParsedOf<Params>> {
    return new MessageThread(this, params, options)
  }
}

/** `client.beta` */
export class Beta {
  static readonly Messages: typeof BetaMessages = BetaMessages
  static readonly Models: typeof Models = Models
  static readonly Files: typeof Files = Files

  declare readonly messages: BetaMessages
  declare readonly models: Models
  declare readonly files: Files

  constructor(client: ResourceClient) {
    this.messages = new BetaMessages(client)
    this.models = new Models(client)
    this.files = new Files(client)
  }
}
