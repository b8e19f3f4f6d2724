import type { ClientOptions } from '@anthropic-ai/sdk'
import type Anthropic from '@anthropic-ai/sdk'
import type { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import type * as mcp from '@anthropic-ai/sdk/helpers/beta/mcp'
import type { betaMemoryTool } from '@anthropic-ai/sdk/helpers/beta/memory'
import type * as toolsets from '@anthropic-ai/sdk/helpers/beta/toolsets'
import type * as nodeToolsets from '@anthropic-ai/sdk/helpers/beta/toolsets/node'
import type { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import type { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema'
import type { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import type { BetaLocalFilesystemMemoryTool } from '@anthropic-ai/sdk/tools/memory/node'
import type { Reply, Stage } from './recording-server.ts'

/** A use of a client, written against the official types. */
export interface Scenario {
  name: string
  /** The responses to the first request, the second, and so on. */
  replies?: readonly Reply[]
  /** Client options, in addition to the key, the address of the stage and a silent log. */
  options?: ClientOptions | ((stage: Stage) => ClientOptions)
  /** The environment variables of the client while it is constructed. */
  env?: Record<string, string>
  /** Runs the scenario and returns its result. */
  run(context: Context): unknown
  /** Only if the official client hangs: the milliseconds after the end of ours in which it must not end. */
  hangsMs?: number
  /** Runs the client's timers fifty times faster, so that delays of seconds can be compared. */
  hurried?: boolean
  /** The differences that must exist. Everything else must be equal. */
  differs?: readonly Difference[]
}

export interface Context {
  client: Anthropic
  /** The class with its static properties. */
  Anthropic: typeof Anthropic
  /** The exports of the official `helpers` and `tools`, and of our `colloquy/tools`. */
  helpers: Helpers
  stage: Stage
}

export interface Helpers extends MCPHelpers, ToolsetHelpers {
  BetaLocalFilesystemMemoryTool: typeof BetaLocalFilesystemMemoryTool
  betaMemoryTool: typeof betaMemoryTool
  betaTool: typeof betaTool
  betaZodTool: typeof betaZodTool
  jsonSchemaOutputFormat: typeof jsonSchemaOutputFormat
  zodOutputFormat: typeof zodOutputFormat
}

type MCPHelpers = Pick<
  typeof mcp,
  'mcpContent' | 'mcpMessage' | 'mcpMessages' | 'mcpResourceToContent' | 'mcpResourceToFile' | 'mcpTool' | 'mcpTools'
>

type ToolsetHelpers = typeof toolsets & typeof nodeToolsets

/** A deliberate difference. The test also fails if the difference no longer exists. */
export interface Difference {
  /** Its row in docs/compatibility.md. */
  name: string
  /** The path of the difference in the outcome, such as `threw` or `requests.0.headers.x-api-key`. */
  at: string
  /** The value at that path: a whole value, some fields of an object, or a pattern. Absent if there is no value. */
  official?: unknown
  ours?: unknown
}

/** The difference of the client's own errors: an `AnthropicError` with our text. */
export function ownError(at: string, official: object = {}): Difference {
  return { name: 'own-errors', at, official, ours: { classes: 'AnthropicError < Error' } }
}
