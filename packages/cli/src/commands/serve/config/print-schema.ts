import { ExitCode } from '../../../exit.ts'
import { writeDocument } from '../../../terminal/output.ts'
import { configSchema } from './config.ts'

/** The text of `colloquy.schema.json`. */
export function schemaText(): string {
  return `${JSON.stringify(configSchema, null, 2)}\n`
}

/** Runs `colloquy serve --schema`. */
export function printSchema(): number {
  writeDocument(schemaText())
  return ExitCode.ok
}
