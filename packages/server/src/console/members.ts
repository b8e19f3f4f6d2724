import { apiError, cutText } from 'colloquy/protocol'
import type { Access, Caller } from '../access/access.ts'
import { isListed } from '../access/keys/senders.ts'
import type { KeyRecord } from '../access/keys/keys.ts'

/**
 * Whether a key stands for one person. One of the list in a configuration does not: two of them can have the same id, as a list
 * shows no more of them than their ends.
 */
export function isPersonal(key: KeyRecord): boolean {
  return !isListed(key)
}

/** Answers a member's request below `/admin`: with what the member's own key has used. Throws the API's 403 for other routes. */
export async function ownAdmin(request: Request, access: Access, caller: Caller): Promise<Response> {
  const member = caller.key!
  const url = new URL(request.url)
  const [, , name, id, ...rest] = url.pathname.split('/')
  const asAdmin = (asked: Request): Promise<Response> => access.admin(asked, operator)
  if (request.method === 'GET' && rest.length === 0) {
    if (name === 'keys' && id === member.id) return asAdmin(request)
    if (name === 'requests' && id !== undefined) return ownRequest(await asAdmin(request), id, member)
    if ((name === 'usage' || name === 'requests') && id === undefined) {
      url.searchParams.set('key', member.id)
      return asAdmin(new Request(url, request))
    }
  }
  // It refuses a caller who is not an admin.
  return access.admin(request, caller)
}

/** A request that another key has sent is as unknown as one that does not exist. */
async function ownRequest(found: Response, id: string, member: KeyRecord): Promise<Response> {
  const request = (await found.clone().json()) as { key_id?: string }
  if (request.key_id === member.id) return found
  throw apiError('not_found_error', `There is no request ${cutText(id, 100)}`)
}

/** The person at this machine. */
export const operator: Caller = { key: undefined, workspace: 'default', isAdmin: true }
