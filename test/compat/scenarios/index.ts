import type { Scenario } from '../scenario.ts'
import { beta } from './beta.ts'
import { brokenStreams } from './broken-streams.ts'
import { errors } from './errors.ts'
import { fallbacks } from './fallbacks.ts'
import { files } from './files.ts'
import { limits } from './limits.ts'
import { batches, models } from './lists.ts'
import { mcp } from './mcp.ts'
import { memory } from './memory.ts'
import { messageStreams } from './message-streams.ts'
import { middleware } from './middleware.ts'
import { options } from './options.ts'
import { parameters } from './parameters.ts'
import { replies } from './replies.ts'
import { retries } from './retries.ts'
import { streams } from './streams.ts'
import { structured } from './structured.ts'
import { subclasses } from './subclasses.ts'
import { threads } from './threads.ts'
import { toolRunner } from './tool-runner.ts'
import { toolsets } from './toolsets.ts'

/** Every scenario, by subject. */
export const tables: Record<string, readonly Scenario[]> = {
  parameters,
  replies,
  streams,
  'broken streams': brokenStreams,
  'message streams': messageStreams,
  errors,
  retries,
  limits,
  options,
  models,
  batches,
  'structured output': structured,
  beta,
  'tool runner': toolRunner,
  toolsets,
  threads,
  memory,
  mcp,
  files,
  middleware,
  subclasses,
  fallbacks,
}
