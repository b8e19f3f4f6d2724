import { mergeHeaders } from './headers.ts'
import type { RequestOptions } from './options.ts'

/** What a call takes beside the body: each goes into a header of its own. */
export interface CallParams {
  betas?: readonly string[] | undefined
  user_profile_id?: string | null | undefined
  workspace_id?: string | null | undefined
}

/** The parameters as a body, less what is a header. */
export function bodyAndOptions(params: CallParams, options: RequestOptions): RequestOptions & { body: object } {
  const [body, settled] = withoutHeaders(params, options)
  return { ...settled, body }
}

/** Takes what is a header and no part of the body or query out of the parameters, and puts it into the options. */
export function withoutHeaders(
  { betas, user_profile_id, workspace_id, ...params }: CallParams,
  options: RequestOptions,
): [Record<string, unknown>, RequestOptions] {
  const settled = betas ? { ...options, betas: [...betas, ...(options.betas ?? [])] } : options
  if (user_profile_id == null && workspace_id == null) return [params, settled]
  const { values } = mergeHeaders({
    'anthropic-user-profile-id': user_profile_id,
    'anthropic-workspace-id': workspace_id,
  })
  return [params, { ...settled, headers: { ...values, ...headersOf(options) } }]
}

function headersOf({ headers }: RequestOptions): Record<string, string | null> {
  const { values, removed } = mergeHeaders(headers)
  return { ...values, ...Object.fromEntries(Array.from(removed, (name) => [name, null])) }
}
