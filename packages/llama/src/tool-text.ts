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

const tag = '<tool_call>'
const fences = ['', '```json', '```']
const starts = ['{', '{"type":"function",', '{"type":"function","function":{'].map((start) => `${start}"name":"`)

/** The ways in which models open a call, without white space: in the tag, and bare. */
const tagged = fences.flatMap((fence) => starts.map((start) => `${fence}${tag}${start}`))
const bare = [...fences, '['].flatMap((before) => starts.map((start) => `${before}${start}`))

/** Finds where a reply begins a call: at its beginning in any of the ways, later only with the tag. */
export class CallFinder {
  readonly #names: readonly string[]
  #held = ''
  #isStart = true

  constructor(names: readonly string[]) {
    this.#names = names
  }

  /** The text that was held back because it could still become a call. */
  get rest(): string {
    return this.#held
  }

  /** Takes more of the reply. Returns the text to show, and the beginning of a call's name once one has begun. */
  push(piece: string): { text: string; name: string | undefined } {
    if (this.#names.length === 0) return { text: piece, name: undefined }
    this.#held += piece
    let text = ''
    for (;;) {
      const place = this.#isStart ? 0 : tagIn(this.#held)
      text += this.#held.slice(0, place)
      this.#held = this.#held.slice(place)
      const opening = this.#held === '' ? 'undecided' : this.#opening()
      if (opening === 'undecided') return { text, name: undefined }
      if (opening !== 'text') return { text, name: opening.name }
      this.#isStart = false
      text += this.#held.slice(0, 1)
      this.#held = this.#held.slice(1)
    }
  }

  #opening(): { name: string } | 'undecided' | 'text' {
    const opening = openingOf(this.#held, tagged)
    if (opening !== 'text' || !this.#isStart) return opening
    const found = openingOf(this.#held, bare)
    if (typeof found === 'string') return found
    // JSON without the tag is a call only if it has the name of a tool.
    if (!this.#names.some((name) => name.startsWith(found.name))) return 'text'
    return found.name === '' ? 'undecided' : found
  }
}

/** The place of the tag or of its beginning at the end of the text; the end without one. */
function tagIn(text: string): number {
  for (let place = text.indexOf('<'); place >= 0; place = text.indexOf('<', place + 1)) {
    const found = text.slice(place, place + tag.length)
    if (tag.startsWith(found)) return place
  }
  return text.length
}

/** Tells what a text begins with: a call whose name may have begun, perhaps a call, or text. */
export function openingOf(
  text: string,
  openings: readonly string[] = [...tagged, ...bare],
): { name: string } | 'undecided' | 'text' {
  const squeezed = text.replaceAll(/\s/g, '')
  const opened = openings.find((each) => squeezed.startsWith(each))
  if (opened !== undefined) return { name: squeezed.slice(opened.length) }
  return openings.some((each) => each.startsWith(squeezed)) ? 'undecided' : 'text'
}
