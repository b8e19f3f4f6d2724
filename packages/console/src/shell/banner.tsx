import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection } from '../api/http.ts'
import { signIn } from '../api/session.ts'

/** Says that the server is gone and when the page looks for it again, or asks for what opens a session. */
export function Banner(): VNode | undefined {
  const state = connection.value
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (state.state !== 'lost') return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [state])
  if (state.state === 'connected') return undefined
  if (state.state === 'locked') return <SignIn />
  const seconds = Math.max(0, Math.ceil((state.retryAt - Math.max(now, state.retryAt - 4_000)) / 1_000))
  return (
    <p class="banner" role="alert">
      Disconnected from colloquy serve ({location.host}). <span aria-live="off">Retrying in {seconds} s</span>
    </p>
  )
}

function SignIn(): VNode {
  const [failure, setFailure] = useState<string>()
  return (
    <form
      class="banner"
      onSubmit={(event) => {
        event.preventDefault()
        const entered = String(new FormData(event.currentTarget).get('key'))
        signIn(entered).then(
          () => location.reload(),
          (error: Error) => setFailure(error.message),
        )
      }}
    >
      <p role="alert">
        {failure ?? (
          <>
            This page has no session. Open the link that <code>colloquy serve</code> printed, or enter it here. A key
            that you have been given works too.
          </>
        )}
      </p>
      <input name="key" type="password" autocomplete="current-password" aria-label="Link or key" required />
      <button type="submit">Open</button>
    </form>
  )
}
