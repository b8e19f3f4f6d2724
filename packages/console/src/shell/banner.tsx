import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection } from '../api/http.ts'

/** Says that the server is gone and when the page looks for it again, or that the session has ended. */
export function Banner(): VNode | undefined {
  const state = connection.value
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (state.state !== 'lost') return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [state])
  if (state.state === 'connected') return undefined
  if (state.state === 'locked')
    return (
      <p class="banner" role="alert">
        You are signed out. Text that was not sent is kept.{' '}
        <button type="button" onClick={() => (connection.value = { ...state, wasOpen: false })}>
          Sign in
        </button>
      </p>
    )
  const seconds = Math.max(0, Math.ceil((state.retryAt - Math.max(now, state.retryAt - 4_000)) / 1_000))
  return (
    <p class="banner" role="alert">
      Disconnected from colloquy serve ({location.host}). <span aria-live="off">Retrying in {seconds} s</span>
    </p>
  )
}
