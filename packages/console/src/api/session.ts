import { send } from './http.ts'

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

/** Ends the session of this browser. The page then asks for a link or a key. */
export async function signOut(): Promise<void> {
  await send('api/session', { method: 'DELETE' })
  location.reload()
}

/** Opens a session with a link, the token of one, or an admin key. Throws an `ApiFailure` if it is refused. */
export async function signIn(text: string): Promise<void> {
  const token = text.split(prefix).at(-1)!.trim()
  const body = JSON.stringify({ token })
  await send('api/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } })
}
