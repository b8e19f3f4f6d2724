import { APIUserAbortError } from '../../protocol/types/error.ts'

/** Whether the application itself ended the request. */
export function isAbort(error: unknown): boolean {
  return error instanceof APIUserAbortError || (error instanceof Error && error.name === 'AbortError')
}
