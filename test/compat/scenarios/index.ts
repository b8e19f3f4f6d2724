import type { Scenario } from '../scenario.ts'
import { brokenStreams } from './broken-streams.ts'
import { errors } from './errors.ts'
import { limits } from './limits.ts'
import { models } from './lists.ts'
import { messageStreams } from './message-streams.ts'
import { options } from './options.ts'
import { parameters } from './parameters.ts'
import { replies } from './replies.ts'
import { retries } from './retries.ts'
import { streams } from './streams.ts'

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
}
