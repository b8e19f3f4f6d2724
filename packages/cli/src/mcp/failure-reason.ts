import { SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client'
import { systemReason } from '../errors/system-error.ts'
import { wordsOfConnection } from '../errors/error-words.ts'
import { oneLine } from '../format.ts'

/** The reason why a server cannot be used, from the error and the last words of its program, as the end of a sentence. */
export function failureReason(error: unknown, lastWords: string): string {
  if (error instanceof SdkHttpError) return httpReason(error.status)
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout)
    return `it did not list its tools in time${lastWords === '' ? '' : `: ${oneLine(lastWords)}`}`
  if (lastWords !== '') return oneLine(lastWords)
  const { cause } = error as Error
  const found = cause instanceof Error ? wordsOfConnection((cause as NodeJS.ErrnoException).code)?.found : undefined
  return found ?? oneLine(systemReason(cause instanceof Error ? cause : error))
}

function httpReason(status: number): string {
  if (status === 401 || status === 403) {
    const form = `{"authorization": "Bearer \${TOKEN}"}`
    return `it wants a sign-in (status ${status}): put its token into the headers of the file, such as ${form}. Signing in by OAuth is not supported`
  }
  if (status === 404 || status === 405) return `there is no MCP server at its url (status ${status})`
  return `it answered with status ${status}`
}

/** The first line that names an error, as stacks of calls and advice follow it, or else the last line. */
export function failureIn(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /(?:error|exception)\b.*:/i.test(line)) ?? lines.at(-1) ?? ''
}
