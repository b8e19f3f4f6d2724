import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { signIn } from '../api/session.ts'

/** Asks for what opens a session. The page that was asked for is shown then. */
export function SignIn(): VNode {
  const failure = useSignal<string | undefined>(undefined)
  const isSending = useSignal(false)
  const submit = async (form: FormData): Promise<void> => {
    isSending.value = true
    failure.value = undefined
    try {
      await signIn(String(form.get('key')))
      location.reload()
    } catch (error) {
      isSending.value = false
      failure.value = (error as Error).message
    }
  }
  return (
    <main id="main" class="empty welcome">
      <h1>Sign in to Colloquy</h1>
      <p>
        Enter the key that you have been given, or the link that <code>colloquy web</code> or{' '}
        <code>colloquy serve</code> has printed. A link works once.
      </p>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          void submit(new FormData(event.currentTarget))
        }}
      >
        <label>
          <span>Link or key</span>
          <input name="key" type="password" autocomplete="current-password" required ref={focus} />
        </label>
        {failure.value && (
          <p class="failure" role="alert">
            {failure.value}
          </p>
        )}
        <p>
          <button type="submit" class="primary" disabled={isSending.value}>
            {isSending.value ? 'Signing in …' : 'Sign in'}
          </button>
        </p>
      </form>
    </main>
  )
}

function focus(field: HTMLElement | null): void {
  field?.focus()
}
