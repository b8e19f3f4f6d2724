import { type Signal } from '@preact/signals'
import { stored } from '../shell/storage.ts'
import { send } from './http.ts'
import type { SessionJson } from './types.ts'

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
  // A refusal is shown by the banner.
  await signIn(link).catch(() => undefined)
}

/** The id of a member's key; empty for an operator, who sees all keys. It is kept, so that a reload shows the same at once. */
export const memberKey: Signal<string> = stored('memberKey', '')

/** Asks the server who has the session. */
export async function loadSession(): Promise<void> {
  // Not by `send()`: this succeeds also without a session, which does not mean that there is one.
  const response = await fetch('api/session').catch(() => undefined)
  if (!response?.ok) return
  const { open, member, keyId } = (await response.json()) as SessionJson
  if (open) memberKey.value = (member && keyId) || ''
}

/** Ends the session of this browser. The page then asks for a link or a key. */
export async function signOut(): Promise<void> {
  await send('api/session', { method: 'DELETE' })
  location.reload()
}

/** Opens a session with a link, the token of one, or a key. Throws an `ApiFailure` if it is refused. */
export async function signIn(text: string): Promise<void> {
  const token = text.split(prefix).at(-1)!.trim()
  const body = JSON.stringify({ token })
  await send('api/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
}
