import type { JsonSchema, MessageCountTokensParams } from 'colloquy/protocol'
import { TooManySchemas, isDraft202012 } from './draft-2020-12.ts'
import { checkGrammar, checkGrammarLimits } from './grammar.ts'
import { type Context, refuse } from '../schema.ts'

const propertyKey = /^[a-zA-Z0-9_.-]{1,64}$/

/** Checks the `input_schema` of a tool. Its fields and depth have been checked. */
export function checkInputSchema(schema: JsonSchema, path: string, { lenient }: Context): void {
  if (!lenient && ['oneOf', 'allOf', 'anyOf'].some((keyword) => schema[keyword] !== undefined))
    refuse(path, 'input_schema does not support oneOf, allOf, or anyOf at the top level')
  checkDraft(schema, path, ' Learn more about tool use at https://docs.claude.com/en/docs/tool-use.')
  const keys = Object.keys((schema.properties as object | undefined) ?? {})
  if (!lenient && !keys.every((key) => propertyKey.test(key)))
    refuse(`${path}.properties`, `Property keys should match pattern '${propertyKey.source}'`)
}

function checkDraft(schema: JsonSchema, path: string, more = ''): void {
  if (isValid(schema, path)) return
  const standard = 'JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12)'
  refuse(path, `JSON schema is invalid. It must match ${standard}.${more}`)
}

function isValid(schema: JsonSchema, path: string): boolean {
  try {
    return isDraft202012(schema)
  } catch (error) {
    if (error instanceof TooManySchemas) refuse(path, 'Schema is too complex for compilation.')
    throw error
  }
}

/** Checks the schema of the output format. */
export function checkOutputSchema({ output_config }: MessageCountTokensParams): void {
  const schema = output_config?.format?.schema
  if (schema) checkDraft(schema, 'output_config.format.schema')
}

/** Checks the schemas that the API compiles into a grammar: of the output format and of strict tools. */
export function checkGrammars({ tools = [], output_config }: MessageCountTokensParams): void {
  const outputSchema = output_config?.format?.schema
  const strict = tools.flatMap((tool, index) =>
    'strict' in tool && tool.strict === true && 'input_schema' in tool
      ? [{ path: `tools.${index}.custom`, schema: tool.input_schema as JsonSchema }]
      : [],
  )
  for (const { path, schema } of strict) checkGrammar(schema, path)
  if (outputSchema) checkGrammar(outputSchema, 'output_config.format.schema')
  checkGrammarLimits([...strict.map(({ schema }) => schema), ...(outputSchema ? [outputSchema] : [])], strict.length)
}
