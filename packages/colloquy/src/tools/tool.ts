import { jsonFault } from '../protocol/json/json-fault.ts'
import { AnthropicError } from '../protocol/types/error.ts'
import { checkArgument, describeValue } from '../protocol/json/option-names.ts'
import { type JsonSchema, checkJson, describeMismatch } from '../protocol/json/json-schema.ts'
import {
  type FromSchema,
  type OutputOf,
  type StandardResult,
  type StandardSchema,
  type ToJsonSchema,
  describeStandardIssues,
  isStandardSchema,
  toJsonSchema,
} from '../protocol/json/schema.ts'
import type { Tool, ToolInputSchema, ToolUnion } from '../protocol/types/tool.ts'
import { nearMiss } from '../protocol/json/near-miss.ts'
import {
  type Promisable,
  type RunnableTool,
  type ToolContext,
  type ToolOutput,
  type ToolRunner,
  withoutProgramFields,
} from './runnable.ts'

/** A tool that `tool()` made. */
export interface CustomTool<Input = unknown> extends Tool, ToolRunner<Input> {
  /** Checks an input against the schema. With a schema that checks asynchronously, the result is a promise. */
  parse(input: unknown): Input
  /** Returns the definition alone, so that the tool can be in the `tools` of any request. */
  toJSON(): ToolUnion
}

type Schema = StandardSchema | (JsonSchema & { readonly type: 'object' })
type InputOf<Given> = Given extends StandardSchema ? OutputOf<Given> : FromSchema<Given>

/** The fields of a tool definition besides its schema and function. */
export type ToolFields<Given extends Schema> = Omit<Tool, 'type' | 'input_schema'> & {
  type?: 'custom'
  /** Answers a call. */
  run: (input: InputOf<Given>, context: ToolContext) => Promisable<ToolOutput>
  /** The JSON Schema of `inputSchema`, or a function that makes it, if its library cannot. */
  jsonSchema?: ToJsonSchema
} & Pick<ToolRunner, 'timeoutMs' | 'repeatable' | 'close'> &
  ({ inputSchema: Given; input_schema?: never } | { input_schema: Given; inputSchema?: never })

/**
 * Makes a tool for a tool loop. Its input is checked against the schema before `run` is called.
 *
 * The schema is JSON Schema, or a schema of any Standard Schema library (zod, valibot, arktype …). Other fields of a tool
 * definition, such as `strict` or `cache_control`, are sent to the API unchanged. Throws an `AnthropicError` if the API would
 * refuse the definition.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { tool } from 'colloquy/tools'
 * import { z } from 'zod'
 *
 * const weather = tool({
 *   name: 'get_weather',
 *   description: 'The weather in a city, now.',
 *   inputSchema: z.object({ city: z.string() }), // or a JSON Schema
 *   run: ({ city }) => `${city}: 24 °C, sunny`,
 * })
 * const messages = [{ role: 'user' as const, content: 'Use get_weather for Lisbon.' }]
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 1024, tools: [weather], messages }
 * const reply = await new Anthropic().beta.messages.toolRunner(request)
 * console.log(reply.stop_reason) // end_turn
 * ```
 */
export function tool<const Given extends Schema>(fields: ToolFields<Given>): CustomTool<InputOf<Given>> {
  checkArgument(fields, 'an object', 'the fields of a tool')
  checkNames(fields)
  const { name, description, inputSchema, input_schema, jsonSchema, run, ...others } = fields
  const given: unknown = inputSchema === undefined ? input_schema : inputSchema
  const problem = (found: string): AnthropicError => new AnthropicError(`Cannot make the tool ${quote(name)}: ${found}`)
  const flaw = inputSchema && input_schema ? 'found both inputSchema and input_schema' : flawIn(fields, given)
  if (flaw) throw problem(flaw)
  const schema = isStandardSchema(given) ? toJsonSchema(given, jsonSchema) : (given as JsonSchema)
  if (schema?.type !== 'object')
    throw new AnthropicError(`${kindOf(given)} for tool "${name}" must be an object, but got ${String(schema?.type)}`)
  const parse = isStandardSchema(given) ? standardParser(given) : jsonParser(schema)
  const made = {
    ...others,
    type: 'custom' as const,
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: schema as ToolInputSchema,
    run,
    parse: parse as (input: unknown) => InputOf<Given>,
  }
  // A changed copy must keep it if the tool has fields that are not sent. Other tools show only what they are given.
  let enumerable: boolean
  try {
    enumerable = JSON.stringify(withoutProgramFields(made)) !== JSON.stringify(made)
  } catch (error) {
    throw problem(`JSON must be able to hold its fields: ${jsonFault(error)}`)
  }
  return Object.defineProperty(made, 'toJSON', { value: toJSON, enumerable }) as CustomTool<InputOf<Given>>
}

/** Describes the first wrong field of a tool: a program without types may pass anything. */
function flawIn(
  { name, description, run }: { name?: unknown; description?: unknown; run?: unknown },
  schema: unknown,
): string | undefined {
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,128}$/.test(name))
    return 'its name must be 1 to 128 letters, digits, _ and -'
  if (description !== undefined && typeof description !== 'string')
    return `its description must be text: found ${quote(description)}`
  if (typeof run !== 'function') return `run must be a function: found ${quote(run)}`
  if ((typeof schema !== 'object' || schema === null) && !isStandardSchema(schema))
    return `inputSchema must be a JSON Schema or a Standard Schema: found ${quote(schema)}`
  return undefined
}

function kindOf(schema: unknown): string {
  if (!isStandardSchema(schema)) return 'JSON schema'
  return schema['~standard'].vendor === 'zod' ? 'Zod schema' : 'Schema'
}

function toJSON(this: RunnableTool): ToolUnion {
  return withoutProgramFields(this)
}

function jsonParser(schema: JsonSchema): (input: unknown) => unknown {
  return (input) => {
    const issues = checkJson(schema, input)
    if (issues.length) throw new AnthropicError(describeMismatch(issues))
    return input
  }
}

/** Parses at once, unless the schema itself checks asynchronously. */
function standardParser(schema: StandardSchema): (input: unknown) => unknown {
  return (input) => {
    const result = schema['~standard'].validate(input)
    return result instanceof Promise ? result.then(valueOf) : valueOf(result)
  }
}

function valueOf(result: StandardResult<unknown>): unknown {
  if (result.issues) throw new AnthropicError(describeStandardIssues(result.issues))
  return result.value
}

const known = [
  'name',
  'description',
  'inputSchema',
  'input_schema',
  'jsonSchema',
  'run',
  'timeoutMs',
  'repeatable',
  'cache_control',
  'strict',
  'defer_loading',
  'allowed_callers',
  'eager_input_streaming',
  'input_examples',
]

/** The names of these fields in other libraries. */
const otherNames: Record<string, string> = {
  parameters: 'inputSchema',
  schema: 'inputSchema',
  execute: 'run',
  handler: 'run',
  func: 'run',
  function: 'run',
  callback: 'run',
  timeout: 'timeoutMs',
}

// Other unknown fields are accepted: they may be fields of the API that this version does not know.
function checkNames(fields: object): void {
  for (const field of Object.keys(fields)) {
    if (known.includes(field)) continue
    const meant = otherNames[field] ?? nearMiss(field, known)
    if (meant)
      throw new AnthropicError(
        `Cannot make the tool ${quote((fields as { name?: unknown }).name)}: found ${field}, was ${meant} meant?`,
      )
  }
}

function quote(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : describeValue(value)
}
