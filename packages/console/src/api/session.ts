import { type Signal } from '@preact/signals'
import { stored } from '../shell/storage.ts'
import { findSession, send } from './http.ts'

/** The text before the token in a link. */
const prefix = '#k='

/**
 * Exchanges the token in the address (`#k=…`) for a cookie, and takes it out of the address. Without a token the cookie of an
 * earlier visit is used.
 */
export async function openSession(): Promise<void> {
  // The browser does not load the page again for a link to it that differs after the `#` only.
  addEventListener('hashchange', () => location.hash.startsWith(prefix) && location.reload())
  if (!location.hash.startsWith(prefix)) return
  const link = location.hash
  history.replaceState(undefined, '', location.pathname + location.search)
  // The page asks for another one then.
  await signIn(link).catch(() => undefined)
}

/** The id of a member's key; empty for an operator, who sees all keys. It is kept, so that a reload shows the same at once. */
export const memberKey: Signal<string> = stored('memberKey', '')

/** Whether this browser had a session when it was last asked. */
export const wasSignedIn: Signal<boolean> = stored('signedIn', false)

/** Asks the server who has the session. */
export async function loadSession(): Promise<void> {
  const session = await findSession()
  if (!session) return
  const { open, member, keyId } = session
  wasSignedIn.value = open
  if (open) memberKey.value = (member && keyId) || ''
}

/** Ends the session of this browser. */
export async function signOut(): Promise<void> {
  await send('api/session', { method: 'DELETE' })
  wasSignedIn.value = false
  location.reload()
}

/** Opens a session with a link, the token of one, or a key. Throws an `ApiFailure` if it is refused. */
export async function signIn(text: string): Promise<void> {
  const token = text.split(prefix).at(-1)!.trim()
  const body = JSON.stringify({ token })
  await send('api/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
}
