import type { Log } from '../log.ts'

/** The days on which models are retired, as the official client prints them. */
export const endOfLife: Readonly<Record<string, string>> = {
  'claude-mythos-preview': 'June 30th, 2026',
  'claude-opus-4-5': 'January 22nd, 2027',
  'claude-opus-4-5-20251101': 'January 22nd, 2027',
  'claude-sonnet-4-5': 'November 30th, 2026',
  'claude-sonnet-4-5-20250929': 'November 30th, 2026',
}

/** The models on which `thinking.type: 'enabled'` is deprecated. */
export const adaptiveThinkers: readonly string[] = ['claude-opus-4-6', 'claude-mythos-preview']

/** Logs a warning for a model that will be retired, or for thinking in a form that is deprecated on the model. */
export function warnOfModel(
  { model, thinking }: { model: string; thinking?: { type: string } | null },
  log: Log,
): void {
  const warn = log('warn')
  const day = endOfLife[model]
  if (day)
    warn?.(
      `The model '${model}' is deprecated and will reach end-of-life on ${day}\nPlease migrate to a newer model. Visit https://docs.anthropic.com/en/docs/resources/model-deprecations for more information.`,
    )
  if (adaptiveThinkers.includes(model) && thinking?.type === 'enabled')
    warn?.(
      `Using Claude with ${model} and 'thinking.type=enabled' is deprecated. Use 'thinking.type=adaptive' instead which results in better model performance in our testing: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking`,
    )
}
