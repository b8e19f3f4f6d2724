import type { MessageCreateParams } from 'colloquy/protocol'

// Small models learned to call tools in this form, which the Hermes models began.

export const callStart = '<tool_call>\n{"name": "'
const argumentsStart = '", "arguments": '
const callEnd = '}\n</tool_call>'

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

/** The text around the arguments of a call, which are JSON in every form. */
export interface CallForm {
  /** Between the name and the arguments. */
  middle: string
  /** After the arguments. */
  end: string
}

export const jsonForm: CallForm = { middle: argumentsStart, end: callEnd }
/** `<function=NAME>{}</function>` of Llama 3.1. Qwen 3 Coder and 3.5 have it in the tag, with elements for the arguments. */
const elementForm: CallForm = { middle: '>', end: '</function>' }
/** `[TOOL_CALLS]NAME[ARGS]{}` of Mistral's models since 2025. */
const mistralForm: CallForm = { middle: '[ARGS]', end: '' }

/** The tags of Hermes and Qwen, Mistral, Llama, and of Granite and Phi. In many models they are control tokens. */
export const callTags: readonly string[] = ['<tool_call>', '[TOOL_CALLS]', '<|python_tag|>', '<|tool_call|>']

/** A way in which a model opens a call, without white space. */
interface Opening {
  text: string
  form: CallForm
  /** Whether a call follows, whatever its name is. Otherwise it is one only if it has the name of a tool. */
  isSure: boolean
}

/** A call that a model has begun. */
export interface BegunCall {
  /** The beginning of its name; perhaps empty. */
  name: string
  form: CallForm
}

const fences = ['', '```json', '```']
const starts = ['{', '{"type":"function",', '{"type":"function","function":{'].map((start) => `${start}"name":"`)
const element = '<function='
const marks = [...callTags, element]

const tagged: Opening[] = callTags.flatMap((tag) => [
  ...['', '['].flatMap((list) => starts.map((start) => ({ text: tag + list + start, form: jsonForm, isSure: true }))),
  { text: tag + element, form: elementForm, isSure: true },
])
const untagged: Opening = { text: element, form: elementForm, isSure: false }
/** At the beginning of a reply also in a fence, and as bare JSON. */
const atStart: Opening[] = [
  ...fences.slice(1).flatMap((fence) => tagged.map((opening) => ({ ...opening, text: fence + opening.text }))),
  ...[...fences, '['].flatMap((before) =>
    starts.map((start) => ({ text: before + start, form: jsonForm, isSure: false })),
  ),
]

/** Finds where a reply begins a call: at its beginning in any of the ways, later only with a tag. */
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

  /** Takes more of the reply. Returns the text to show, and the call once one has begun. */
  push(piece: string): { text: string; call: BegunCall | undefined } {
    if (this.#names.length === 0) return { text: piece, call: undefined }
    this.#held += piece
    let text = ''
    for (;;) {
      const place = this.#isStart ? 0 : markIn(this.#held)
      text += this.#held.slice(0, place)
      this.#held = this.#held.slice(place)
      const opening = this.#held === '' ? 'undecided' : openingOf(this.#held, this.#names, this.#isStart)
      if (opening === 'undecided') return { text, call: undefined }
      if (opening !== 'text') return { text, call: opening }
      this.#isStart = false
      text += this.#held.slice(0, 1)
      this.#held = this.#held.slice(1)
    }
  }
}

/** The place of a mark or of its beginning at the end of the text; the end without one. */
function markIn(text: string): number {
  for (let place = 0; place < text.length; place++) {
    if (marks.some((mark) => mark.startsWith(text.slice(place, place + mark.length)))) return place
  }
  return text.length
}

/** Tells what a text begins with: a call whose name may have begun, perhaps a call, or text. */
export function openingOf(text: string, names: readonly string[], isStart = true): BegunCall | 'undecided' | 'text' {
  const squeezed = text.replaceAll(/\s/g, '')
  const direct = names.map((name) => ({ text: `[TOOL_CALLS]${name}`, form: mistralForm, isSure: true, name }))
  const openings: (Opening & { name?: string })[] = [...tagged, ...direct, untagged, ...(isStart ? atStart : [])]
  const opened = openings.find((each) => squeezed.startsWith(each.text))
  if (opened === undefined) return openings.some((each) => each.text.startsWith(squeezed)) ? 'undecided' : 'text'
  const { form, isSure, name: whole = '' } = opened
  const name = whole + squeezed.slice(opened.text.length)
  if (!isSure && !names.some((each) => each.startsWith(name))) return 'text'
  return !isSure && name === '' ? 'undecided' : { name, form }
}
