import type { MessageCountTokensParams, MessageCreateParams, MessageParam, ModelEntry } from 'colloquy/protocol'
import { refuse } from './schema.ts'

/** Checks what depends on the model and the prompt. Applies to counting too. */
export function checkModelPrompt(
  params: MessageCountTokensParams,
  model: ModelEntry,
  isContinuation: (message: MessageParam) => boolean,
): void {
  const { messages, tool_choice: choice } = params
  if (!model.systemInMessages && messages.some(({ role }) => role === 'system'))
    refuse('', "role 'system' is not supported on this model")
  const last = messages.at(-1)!
  if (!model.prefill && last.role === 'assistant' && !isContinuation(last))
    refuse('', 'This model does not support assistant message prefill. The conversation must end with a user message.')
  if (!model.forcedToolChoice && (choice?.type === 'any' || choice?.type === 'tool'))
    refuse('tool_choice', 'type "tool" and "any" are not supported for this model.')
  checkThinking(params, model)
  checkEffort(params, model)
}

/** Checks what depends on the model and how the reply is generated. */
export function checkModel(params: MessageCreateParams, model: ModelEntry, betas: readonly string[]): void {
  const { max_tokens, thinking } = params
  if (max_tokens > model.maxOutputTokens)
    refuse(
      'max_tokens',
      `${max_tokens} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    )
  // With interleaved thinking the budget is for the whole turn with its tool calls, which may take several replies.
  const isInterleaved = betas.includes('interleaved-thinking-2025-05-14')
  if (thinking?.type === 'enabled' && !isInterleaved && max_tokens <= thinking.budget_tokens)
    refuse(
      '',
      '`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size',
    )
  checkSampling(params, model)
}

/** Models with fast mode whose price for it is not known, and one that ignores the field. */
const otherFastModels: readonly string[] = ['claude-fable-5-2', 'claude-mythos-5-2', 'claude-opus-4-6']

/** Checks that the model has the speed. */
export function checkSpeed({ speed }: MessageCountTokensParams, { id, prices }: ModelEntry): void {
  if (speed !== 'fast' || prices.some(({ fastFactor }) => fastFactor) || otherFastModels.includes(id)) return
  refuse('', `'${id}' does not support the \`speed\` parameter.`)
}

function checkThinking({ thinking, output_config }: MessageCountTokensParams, { thinking: taken }: ModelEntry): void {
  if (!thinking) return
  const type = thinking.type as (typeof taken.types)[number]
  if (!taken.types.includes(type)) refuse('', thinkingProblem(type, taken.types))
  const effort = output_config?.effort
  const most = taken.maxEffort?.[type]
  if (!effort || !most || efforts.indexOf(effort) <= efforts.indexOf(most)) return
  refuse(
    '',
    type === 'disabled'
      ? `output_config.effort '${effort}' is not supported when thinking is disabled on this model. Use effort '${most}' or below, or enable thinking.`
      : `output_config.effort '${effort}' is not supported with "thinking.type.${type}". Use effort '${most}' or below, or "thinking.type.adaptive".`,
  )
}

const efforts: readonly string[] = ['low', 'medium', 'high', 'xhigh', 'max']

function thinkingProblem(type: string, taken: readonly string[]): string {
  if (type === 'adaptive') return 'adaptive thinking is not supported on this model'
  const problem = `"thinking.type.${type}" is not supported for this model.`
  if (type === 'between_tools' || !taken.includes('adaptive')) return problem
  const lowest = taken.includes('between_tools')
    ? '"thinking.type.between_tools" for the lowest thinking setting, or '
    : ''
  return `${problem} Use ${lowest}"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.`
}

function checkEffort({ output_config }: MessageCountTokensParams, { effort: taken }: ModelEntry): void {
  const effort = output_config?.effort
  if (!effort) return
  if (!taken) refuse('', 'This model does not support the effort parameter.')
  if (taken.levels.includes(effort)) return
  const levels = taken.levels.toSorted().join(', ')
  refuse('', `This model does not support effort level '${effort}'. Supported levels: ${levels}.`)
}

/** Only requests of API version 2023-06-01 can have one of the three parameters here. */
function checkSampling(
  { temperature, top_p, top_k, thinking }: MessageCreateParams,
  { sampling, thinking: taken }: ModelEntry,
): void {
  if (!sampling) {
    // The defaults, and values close to them, change nothing and are accepted.
    if (temperature !== undefined && temperature !== 1) refuse('', '`temperature` is deprecated for this model.')
    if (top_p !== undefined && top_p < 0.99) refuse('', '`top_p` is deprecated for this model.')
    if (top_k !== undefined) refuse('', '`top_k` is deprecated for this model.')
    return
  }
  if (thinking?.type === 'enabled' || thinking?.type === 'adaptive') {
    const docs =
      'Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking'
    if (temperature !== undefined && temperature !== 1)
      refuse('', `\`temperature\` may only be set to 1 when thinking is enabled. ${docs}`)
    if (top_p !== undefined && top_p < 0.95)
      refuse('', `\`top_p\` must be greater than or equal to 0.95 when thinking is enabled. ${docs}`)
    if (top_k !== undefined) refuse('', `\`top_k\` must be unset when thinking is enabled. ${docs}`)
  }
  // Models without adaptive thinking, those of the 4.5 line, take one of the two.
  if (temperature !== undefined && top_p !== undefined && !taken.types.includes('adaptive'))
    refuse('', '`temperature` and `top_p` cannot both be specified for this model. Please use only one.')
}
