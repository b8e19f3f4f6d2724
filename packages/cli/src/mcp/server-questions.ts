import type { ElicitRequestFormParams, ElicitRequestParams, ElicitResult } from '@modelcontextprotocol/client'
import { cutText } from 'colloquy/protocol'
import { tool } from 'colloquy/tools'
import { openBrowser } from '../browser.ts'
import { isDay, oneLine } from '../format.ts'
import { safeAddress, safeJson } from '../terminal/safe-text.ts'

/** The user, who answers questions of servers. */
export interface Asked {
  /** Shows a line about a question. */
  show(line: string): void
  /** The letter of the answer. Undefined if the user leaves the question or the signal aborts. */
  choose(
    text: string,
    answers: readonly { key: string; text: string }[],
    signal: AbortSignal,
  ): Promise<string | undefined>
  /** The line that the user types. Undefined likewise. */
  read(text: string, signal: AbortSignal): Promise<string | undefined>
}

/** The most characters of a server's message that are shown. */
const maxMessage = 2_000

const yesOrNo = [
  { key: 'y', text: 'yes' },
  { key: 'n', text: 'no' },
]

/** Asks the user the questions of a server (an elicitation of the protocol), or whether its page may be opened. */
export async function answersTo(
  server: string,
  params: ElicitRequestParams,
  user: Asked,
  signal: AbortSignal,
): Promise<ElicitResult> {
  // The server gave up while other questions were asked.
  if (signal.aborted) return { action: 'cancel' }
  const [first = '', ...others] = cutText(params.message.trim(), maxMessage).split('\n')
  user.show(`? ${server} asks: ${first}`)
  // Indented, so that none of them looks like a line of the chat.
  for (const line of others) user.show(`    ${line}`)
  if (params.mode === 'url') return visit(server, params.url, user, signal)
  const content: Content = {}
  for (const field of fieldsOf(params)) {
    const value = await valueFor(field, user, signal)
    if (value === undefined) return { action: 'cancel' }
    if (value !== '') content[field.name] = value
  }
  user.show(`  ${safeJson(content)}`)
  return confirmed(`Send this to ${server}?`, user, signal, async () => ({ action: 'accept', content }))
}

type Content = NonNullable<ElicitResult['content']>
type Value = Content[string]

async function visit(server: string, url: string, user: Asked, signal: AbortSignal): Promise<ElicitResult> {
  user.show(`  ${url}`)
  if (safeAddress(url) === undefined) return { action: 'decline' }
  return confirmed(`Open this page for ${server}?`, user, signal, async () => {
    if (!(await openBrowser(url))) user.show('  No browser was found: open the page yourself.')
    return { action: 'accept' }
  })
}

async function confirmed(
  question: string,
  user: Asked,
  signal: AbortSignal,
  accept: () => Promise<ElicitResult>,
): Promise<ElicitResult> {
  const answer = await user.choose(question, yesOrNo, signal)
  return answer === 'y' ? accept() : { action: answer === undefined ? 'cancel' : 'decline' }
}

type Schema = ElicitRequestFormParams['requestedSchema']['properties'][string]

/** A question of a server. */
interface Field {
  name: string
  schema: Schema
  isRequired: boolean
  /** The values to choose from, with what they mean. */
  choices: { value: string; title: string }[]
}

function fieldsOf({ requestedSchema: { properties, required = [] } }: ElicitRequestFormParams): Field[] {
  return Object.entries(properties).map(([name, schema]) => {
    return { name, schema, isRequired: required.includes(name), choices: choicesOf(schema) }
  })
}

function choicesOf(schema: Schema): Field['choices'] {
  const holder = schema.type === 'array' ? schema.items : schema
  if ('enum' in holder) {
    const { enumNames: titles = [] } = holder as { enumNames?: string[] }
    return holder.enum.map((value, index) => ({ value, title: titles[index] ?? value }))
  }
  const titled = 'oneOf' in holder ? holder.oneOf : 'anyOf' in holder ? holder.anyOf : []
  return titled.map(({ const: value, title }) => ({ value, title }))
}

/** The value that the user gives; empty if the question is left open, undefined if the user leaves all of them. */
async function valueFor(field: Field, user: Asked, signal: AbortSignal): Promise<Value | undefined> {
  const { name, schema, isRequired, choices } = field
  const { title = name, description, default: otherwise } = schema
  if (description !== undefined) user.show(`  ${oneLine(`${title}: ${description}`)}`)
  for (const [index, choice] of choices.entries()) user.show(`    ${index + 1} ${oneLine(choice.title)}`)
  const facts = [
    schema.type === 'array' && 'several with commas',
    schema.type === 'boolean' && 'yes or no',
    !isRequired && otherwise === undefined && 'may stay empty',
    otherwise !== undefined && `default ${String(otherwise)}`,
  ]
  const notes = facts.filter(Boolean).join(', ')
  for (;;) {
    const typed = await user.read(oneLine(`${title}${notes && ` (${notes})`}:`), signal)
    if (typed === undefined) return undefined
    const value = typed.trim() === '' ? (otherwise ?? '') : readValue(typed.trim(), field)
    const wrong = value === '' && !isRequired ? undefined : mistakeIn(value, field)
    if (wrong === undefined) return value
    user.show(`  ✗ ${wrong}`)
  }
}

function readValue(typed: string, { schema, choices }: Field): Value {
  const chosen = (text: string): string =>
    (choices.find(({ value, title }) => value === text || title === text) ?? choices[Number(text) - 1])?.value ?? text
  if (schema.type === 'array') return typed.split(',').map((part) => chosen(part.trim()))
  if (schema.type === 'boolean')
    return /^(?:y|yes|true)$/i.test(typed) || (/^(?:n|no|false)$/i.test(typed) ? false : typed)
  if (schema.type === 'string') return chosen(typed)
  return Number.isNaN(Number(typed)) ? typed : Number(typed)
}

const formats: Record<string, (text: string) => boolean> = {
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => URL.canParse(text),
  date: isDay,
  'date-time': (text) => /T/i.test(text) && !Number.isNaN(Date.parse(text)),
}

/** The reason why the server would refuse the value. */
function mistakeIn(value: Value, { name, schema }: Field): string | undefined {
  if (value === '') return 'An answer is needed.'
  const format = 'format' in schema ? schema.format : undefined
  if (format !== undefined && !formats[format]?.(String(value))) return `It must have the form ${format}.`
  const inputSchema = { type: 'object', properties: { [name]: schema } } as const
  try {
    tool({ name: 'field', inputSchema, run: () => '' }).parse({ [name]: value })
    return undefined
  } catch (error) {
    const [, found = ''] = (error as Error).message.split(/\n\s*- [^:]*: /)
    return `It ${found}.`
  }
}
