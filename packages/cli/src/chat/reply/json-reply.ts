import { jsonSchemaOutputFormat, type OutputFormat } from 'colloquy/protocol'
import { UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { systemReason } from '../../errors/system-error.ts'
import { readText } from '../../read-text.ts'

/** The output format of `--json-schema`. */
export type JsonFormat = OutputFormat<unknown>

/** Reads the JSON Schema of `--json-schema`: a file, or the schema itself. Throws a `UsageError` for one that cannot be used. */
export function jsonFormatFrom(given: string, flags: Flags): JsonFormat {
  if (flags.has('extract'))
    throw new UsageError('Cannot use --json-schema with --extract: the reply is JSON, without code')
  const schema = schemaIn(given.trimStart().startsWith('{') ? given : schemaFile(given), given)
  try {
    return jsonSchemaOutputFormat(schema as { type: 'object' })
  } catch (error) {
    throw new UsageError(`Cannot use --json-schema ${given}: ${(error as Error).message}`)
  }
}

function schemaFile(path: string): string {
  try {
    return readText(path)
  } catch (error) {
    throw new UsageError(`Cannot read the JSON Schema from ${path}: ${systemReason(error)}`)
  }
}

function schemaIn(text: string, given: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`Cannot use --json-schema ${given}: it is not JSON: ${(error as Error).message}`)
  }
  if (typeof value === 'object' && value !== null) return value
  throw new UsageError(`Cannot use --json-schema ${given}: it must be an object, such as {"type": "object"}`)
}
