import type { ClientOptions } from '@anthropic-ai/sdk'
import type Anthropic from '@anthropic-ai/sdk'
import type { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import type { betaMemoryTool } from '@anthropic-ai/sdk/helpers/beta/memory'
import type { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import type { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema'
import type { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import type { BetaLocalFilesystemMemoryTool } from '@anthropic-ai/sdk/tools/memory/node'
import type { Reply, Stage } from './recording-server.ts'

/** One thing that a program does with a client, written against the official types. */
export interface Scenario {
  name: string
  /** What the server does with the first request, the second, and so on. */
  replies?: readonly Reply[]
  /** Besides the key, the address of the stage and the silenced log. */
  options?: ClientOptions | ((stage: Stage) => ClientOptions)
  /** Variables that are set while the client is constructed; no other of its variables is. */
  env?: Record<string, string>
  /** What it does, and what comes back. */
  run(context: Context): unknown
  /** How long it may take before it counts as never coming back. Default 5,000. */
  limitMs?: number
  /** Lets the client's timers run fifty times faster, so that a wait of seconds can be held against the other's. */
  hurried?: boolean
  /** Where ours must differ. Everywhere else it must be equal. */
  differs?: readonly Difference[]
}

export interface Context {
  client: Anthropic
  /** The class, with what hangs on it. */
  Anthropic: typeof Anthropic
  /** What the official package has in `helpers` and `tools`, and ours in `colloquy/tools`. */
  helpers: Helpers
  stage: Stage
}

export interface Helpers {
  BetaLocalFilesystemMemoryTool: typeof BetaLocalFilesystemMemoryTool
  betaMemoryTool: typeof betaMemoryTool
  betaTool: typeof betaTool
  betaZodTool: typeof betaZodTool
  jsonSchemaOutputFormat: typeof jsonSchemaOutputFormat
  zodOutputFormat: typeof zodOutputFormat
}

/** A difference on purpose. The test fails when it is gone, too. */
export interface Difference {
  /** Its row in docs/compatibility.md. */
  name: string
  /** The place in the outcome under which they part, such as `threw` or `requests.0.headers.x-api-key`. */
  at: string
  /** What stands there: all of a value, of an object the fields that matter, or a pattern. Absent where nothing stands. */
  official?: unknown
  ours?: unknown
}

/** An error that the client makes itself is an `AnthropicError` in its own words. */
export function ownError(at: string, official: object = {}): Difference {
  return { name: 'own-errors', at, official, ours: { classes: 'AnthropicError < Error' } }
}
