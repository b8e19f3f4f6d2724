import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { type Block, type History, blocksOf, plainTextOf } from './history.ts'
import { SampleError } from './sample/budget.ts'
import { sample } from './sample/sample.ts'
import { printable } from '../printable.ts'

/** A tool call that the reply will make. */
export interface PlannedToolCall {
  name: string
  input: unknown
}

type Tool = Record<string, unknown> & { name: string }

/**
 * Chooses the tools to call: the one that `tool_choice` forces, or those whose name is in the question, or else the first
 * whose description shares a word with it. None if the last message has tool results.
 */
export function chooseCalls({ tools, tool_choice: choice }: MessageCreateParams, history: History): PlannedToolCall[] {
  const callable = (tools ?? []).filter((tool): tool is typeof tool & Tool => isCallable(tool))
  if (callable.length === 0 || choice?.type === 'none') return []
  // Rules read the first part of a long message only.
  const text = history.question.slice(0, 100_000)
  const call = (tool: Tool): PlannedToolCall => ({
    name: tool.name,
    input: inputFor(tool, text, tools!.indexOf(tool as never)),
  })
  if (choice?.type === 'tool') return callable.filter(({ name }) => name === choice.name).map(call)
  if (choice?.type !== 'any' && toolResults(history).length > 0) return []
  const asked = new Set(wordsOf(text))
  const byName = callable.filter(({ name }) =>
    wordsOf(name.replaceAll(/([a-z])([A-Z])|[_-]/g, '$1 $2')).some((word) => asked.has(word)),
  )
  const byDescription = callable.filter((tool) => wordsOf(summaryOf(tool)).some((word) => asked.has(word)))
  const chosen = byName.length > 0 ? byName : byDescription.slice(0, 1)
  if (choice?.type === 'any' && chosen.length === 0) chosen.push(callable[0]!)
  const isSingle = choice !== undefined && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use
  return chosen.slice(0, isSingle ? 1 : 4).map(call)
}

function inputFor(tool: Tool, text: string, index: number): unknown {
  try {
    return sample(schemaOf(tool), text)
  } catch (error) {
    if (!(error instanceof SampleError)) throw error
    throw apiError('invalid_request_error', `tools.${index}.custom.input_schema: ${error.message}`)
  }
}

/** The tool results in the last message. */
export function toolResults({ turns }: History): Array<{ name: string; text: string; isError: boolean }> {
  const last = turns.at(-1)
  if (last?.role !== 'user') return []
  const names = new Map(turns.at(-2)?.blocks.map(({ id, name }) => [id, name]))
  return last.blocks
    .filter(({ type }) => type === 'tool_result')
    .map((result) => ({
      name: printable(names.get(result.tool_use_id) ?? 'unknown'),
      text: resultText(blocksOf(result.content)),
      isError: result.is_error === true,
    }))
}

function resultText(blocks: readonly Block[]): string {
  const others = blocks.filter(({ type }) => type !== 'text').map(({ type }) => `[${type}]`)
  return [plainTextOf(blocks), ...others].filter(Boolean).join(' ')
}

/** Excludes server tools, which this engine does not have, and deferred tools, which the model does not see. */
function isCallable(tool: object): tool is Tool {
  const { type, name, defer_loading } = tool as Tool
  const isServerTool = /^(web_|code_execution|tool_search|advisor|mcp_)/.test(printable(type ?? ''))
  return typeof name === 'string' && !isServerTool && defer_loading !== true
}

function schemaOf(tool: Tool): unknown {
  return tool.input_schema ?? builtInSchemas.find(([prefix]) => printable(tool.type).startsWith(prefix))?.[1] ?? {}
}

const string = { type: 'string' }
const builtInSchemas: ReadonlyArray<readonly [string, unknown]> = [
  ['bash_', { type: 'object', properties: { command: string }, required: ['command'] }],
  [
    'text_editor_',
    { type: 'object', properties: { command: { const: 'view' }, path: string }, required: ['command', 'path'] },
  ],
  [
    'memory_',
    {
      type: 'object',
      properties: { command: { const: 'view' }, path: { const: '/memories' } },
      required: ['command', 'path'],
    },
  ],
]

/** The first sentence of the description. Agents write pages about each tool, which would match every question. */
function summaryOf(tool: Tool): string {
  return /^[^.\n]*/.exec(printable(tool.description ?? ''))![0]
}

function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/\p{L}{3,}/gu) ?? []
  return words
    .filter((word) => !common.has(word))
    .map((word) => (word.length > 4 ? word.replace(/(ing|es|s)$/, '') : word))
}

const common = new Set(
  (
    'about after all and any are ask but call can current could did does for from get gets give given has have her here him his how into its just let like ' +
    'make may more much need new not now one only other our out please return returns run say set she should show some take tell than that the their them ' +
    'then there these they this those tool tools too two use used user using very want was were what when where which who why will with would you your'
  ).split(' '),
)
