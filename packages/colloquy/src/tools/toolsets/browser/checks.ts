import type { BrowserMemberName } from '../../../protocol/types/tools/toolset.ts'
import { ToolError } from '../../tool-error.ts'
import {
  InvalidMemberInputError,
  ToolsetContractError,
  ToolsetUsageError,
  URLRefusedError,
  UploadRefusedError,
  noUploadRoots,
} from '../errors.ts'
import type { MemberCall } from '../toolset.ts'
import type { FilePolicy, URLContext, URLPolicy } from './options.ts'

const historyWords = ['back', 'forward', 'reload']

/** Refuses a `navigate` that the policy does not allow. */
export async function checkUrl(call: MemberCall, policy: URLPolicy | undefined): Promise<void> {
  const { url } = call.input
  if (typeof url !== 'string') throw new InvalidMemberInputError(call.name, 'browser', 'url: expected a string')
  const word = url.trim().toLowerCase()
  if (historyWords.includes(word)) {
    call.input['url'] = word
    return
  }
  let allowed: unknown
  try {
    allowed = await policy?.(contextOf(call), url)
  } catch (error) {
    throw ofPolicy(error, new URLRefusedError('refused by the URL policy'))
  }
  // False must not count as allowed.
  if (allowed !== undefined)
    throw new ToolsetContractError(`urlPolicy must return nothing, or throw to refuse: it returned ${String(allowed)}`)
}

/** Refuses an upload that the policy does not allow, and replaces its files by those that the policy returns. */
export async function checkUpload(call: MemberCall, policy: FilePolicy | undefined): Promise<void> {
  await checkFiles(call, 'paths', noUploadRoots, policy && ((...given) => policy.resolveUploadPaths(...given)))
  const none = 'file_upload has no configured document allowlist'
  await checkFiles(call, 'document_ids', none, policy && ((...given) => policy.resolveUploadDocuments(...given)))
}

async function checkFiles(
  call: MemberCall,
  field: 'paths' | 'document_ids',
  reason: string,
  resolve: FilePolicy['resolveUploadPaths'] | undefined,
): Promise<void> {
  const given: unknown = call.input[field]
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) return
  if (!Array.isArray(given) || !given.every((entry) => typeof entry === 'string'))
    throw new InvalidMemberInputError(call.name, 'browser', `${field}: expected a list of strings`)
  if (!resolve) throw new UploadRefusedError(reason)
  try {
    call.input[field] = [...(await resolve(contextOf(call), given))]
  } catch (error) {
    throw ofPolicy(error, new UploadRefusedError('the file policy could not vet the upload'))
  }
}

/** The error of a policy. One that is not for the model may name what the policy hides, so another stands for it. */
function ofPolicy(error: unknown, other: ToolError): unknown {
  return error instanceof ToolsetUsageError || error instanceof ToolError ? error : other
}

function contextOf(call: MemberCall): URLContext {
  return { member: call.name as BrowserMemberName, tabId: tabIdOf(call), toolUseId: call.context.toolUse?.id }
}

/** The tab that a call names. */
export function tabIdOf({ input }: MemberCall): string | undefined {
  return (input['tab_id'] as string | null | undefined) || undefined
}
