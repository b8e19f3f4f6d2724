import { mergeHeaders } from './headers.ts'
import type { RequestOptions } from './options.ts'

/** What a call takes beside the body: each goes into a header of its own. */
export interface CallParams {
  betas?: readonly string[] | undefined
  user_profile_id?: string | null | undefined
  workspace_id?: string | null | undefined
}

/** Takes what is a header out of the parameters; the rest is the body. */
export function bodyAndOptions(
  { betas, ...params }: CallParams,
  options: RequestOptions,
): RequestOptions & { body: object } {
  const [body, settled] = workspaceHeaders(params, options)
  return { ...settled, body, ...(betas && { betas: [...betas, ...(options.betas ?? [])] }) }
}

/** Takes what is a header and no part of the body or query out of the parameters. */
export function workspaceHeaders(
  { user_profile_id, workspace_id, ...params }: Pick<CallParams, 'user_profile_id' | 'workspace_id'>,
  options: RequestOptions,
): [Record<string, unknown>, RequestOptions] {
  if (user_profile_id == null && workspace_id == null) return [params, options]
  const { values } = mergeHeaders({
    'anthropic-user-profile-id': user_profile_id,
    'anthropic-workspace-id': workspace_id,
  })
  return [params, { ...options, headers: { ...values, ...headersOf(options) } }]
}

function headersOf({ headers }: RequestOptions): Record<string, string | null> {
  const { values, removed } = mergeHeaders(headers)
  return { ...values, ...Object.fromEntries(Array.from(removed, (name) => [name, null])) }
}
