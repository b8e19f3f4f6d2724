import { UsageError } from '../exit.ts'
import { readText } from '../read-text.ts'
import { systemReason } from '../errors/system-error.ts'

/** The value in a file of JSON, which may have comments and trailing commas. Throws a `UsageError` that names the file. */
export async function readJsonFile(path: string): Promise<unknown> {
  const { parse } = await import('jsonc-parser')
  const text = textOf(path)
  const errors: { offset: number }[] = []
  const value: unknown = parse(text, errors as never, { allowTrailingComma: true })
  const [first] = errors
  if (first === undefined) return value
  const line = text.slice(0, first.offset).split('\n').length
  throw new UsageError(`Cannot read ${path}: line ${line} is not JSON`)
}

/** Whether a value of JSON is an object, and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text in a file of the user. Throws a `UsageError` that names the file. */
export function textOf(path: string): string {
  try {
    return readText(path)
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${systemReason(error)}`)
  }
}
