import type { MessageCreateParams } from 'colloquy/protocol'
import type { RequestHeaders } from './request-headers.ts'

/** The user and the conversation that a request names. Empty if it names none. */
export interface NamedBy {
  user: string
  conversation: string
}

const longest = 200

/**
 * Reads `metadata.user_id` and the headers. Claude Code packs an account, a device and a session into `user_id`, as JSON or
 * joined by underscores: the account or the device is the user, and the session is the conversation.
 */
export function namedBy({ metadata }: MessageCreateParams, headers: RequestHeaders): NamedBy {
  const id = metadata?.user_id ?? ''
  const { user, session } = packedJson(id) ?? packedText(id) ?? { user: id, session: '' }
  const named = headers.get('x-colloquy-conversation') ?? headers.get('x-claude-code-session-id') ?? session
  return { user: user.slice(0, longest), conversation: named.slice(0, longest) }
}

interface Packed {
  user: string
  session: string
}

function packedJson(id: string): Packed | undefined {
  if (!id.startsWith('{')) return undefined
  try {
    const { account_uuid: account, device_id: device, session_id: session } = JSON.parse(id) as Record<string, unknown>
    const user = [account, device].find((each) => typeof each === 'string' && each !== '')
    return user === undefined
      ? undefined
      : { user: user as string, session: typeof session === 'string' ? session : '' }
  } catch {
    return undefined
  }
}

function packedText(id: string): Packed | undefined {
  const [, device, account, session] = /^user_(\w+)_account_([\w-]*)_session_([\w-]+)$/.exec(id) ?? []
  if (device === undefined || session === undefined) return undefined
  return { user: account || device, session }
}
