import type { MessageCreateParams } from 'colloquy/protocol'

// Small models learned to call tools in this form, which the Hermes models began.

export const callStart = '<tool_call>\n{"name": "'
export const argumentsStart = '", "arguments": '
export const callEnd = '}\n</tool_call>'

export interface CustomTool {
  name: string
  description?: string | undefined
  input_schema: object
}

/** The tools that the request lets the model call. */
export function callableTools({ tools = [], tool_choice: choice }: MessageCreateParams): CustomTool[] {
  if (choice?.type === 'none') return []
  const custom = tools.filter((tool) => 'input_schema' in tool) as CustomTool[]
  return choice?.type === 'tool' && 'name' in choice ? custom.filter(({ name }) => name === choice.name) : custom
}

/** The part of the system prompt that describes the tools. */
export function toolsText(params: MessageCreateParams): string {
  const tools = callableTools(params)
  if (tools.length === 0) return ''
  const signatures = tools.map(({ name, description, input_schema: parameters }) =>
    JSON.stringify({ type: 'function', function: { name, description, parameters } }),
  )
  return [
    '# Tools',
    '',
    'You can call these functions. Each line is the signature of one, in JSON:',
    '<tools>',
    ...signatures,
    '</tools>',
    '',
    'To call a function, write its name and arguments as JSON in this form:',
    '<tool_call>',
    '{"name": "function name", "arguments": {}}',
    '</tool_call>',
  ].join('\n')
}

export function callText(name: string, input: unknown): string {
  return `${callStart}${name}${argumentsStart}${JSON.stringify(input)}${callEnd}`
}

export function resultText(text: string): string {
  return `<tool_response>\n${text}\n</tool_response>`
}

/** The ways in which models open a call, without white space: in the tag, in a code fence, or bare. */
const openings = ['<tool_call>', '```json', '```json<tool_call>', '```', ''].map((before) => `${before}{"name":"`)

/** Tells what a reply begins with: a call whose name may have begun, perhaps a call, or text. */
export function openingOf(text: string): { name: string } | 'undecided' | 'text' {
  const squeezed = text.replaceAll(/\s/g, '')
  const opened = openings.find((each) => squeezed.startsWith(each))
  if (opened !== undefined) return { name: squeezed.slice(opened.length) }
  return openings.some((each) => each.startsWith(squeezed)) ? 'undecided' : 'text'
}
