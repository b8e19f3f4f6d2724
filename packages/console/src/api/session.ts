import { send } from './http.ts'

/**
 * Exchanges the token in the address (`#k=…`) for a cookie, and takes it out of the address. Without a token the cookie of an
 * earlier visit is used.
 */
export async function openSession(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get('k')
  if (!token) return
  history.replaceState(undefined, '', location.pathname + location.search)
  const body = JSON.stringify({ token })
  // A refusal is shown by the banner.
  await send('/api/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } }).catch(
    () => undefined,
  )
}
