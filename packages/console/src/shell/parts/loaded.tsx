import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection, waits } from '../../api/http.ts'

/** Earlier than this, an empty place is calmer than one that says "Loading". */
const quietMs = 300

interface Loaded<T> {
  value?: T
  error?: Error
  /** Shown until there is a value: nothing, "Loading …", or the error with a way to retry. */
  placeholder: VNode
  reload: () => void
}

/** Loads a value when the dependencies change. The previous value stays until the new one is there, or cannot be loaded. */
export function useLoaded<T>(load: () => Promise<T>, dependencies: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value?: T; error?: Error }>({})
  const [isSlow, setSlow] = useState(false)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let isCurrent = true
    const stopWaiting = waitLater(setSlow)
    load()
      .then((value) => isCurrent && setState({ value }))
      .catch((error: Error) => isCurrent && setState({ error }))
      .finally(stopWaiting)
    return () => {
      isCurrent = false
      stopWaiting()
    }
  }, [...dependencies, attempt])
  const reload = (): void => setAttempt(attempt + 1)
  // A value that could not be loaded is loaded when the server is back.
  const isConnected = connection.value.state === 'connected'
  useEffect(() => void (isConnected && state.error && reload()), [isConnected])
  return {
    ...state,
    placeholder: <Placeholder error={state.error} isSlow={isSlow} reload={reload} />,
    reload,
  }
}

/** Shows a wait that is not over soon, and tells `show`. Returns a function that ends it. */
function waitLater(show: (isSlow: boolean) => void): () => void {
  let isShown = false
  const set = (next: boolean): void => {
    if (next !== isShown) waits.value += next ? 1 : -1
    isShown = next
    show(next)
  }
  const timer = setTimeout(set, quietMs, true)
  return () => {
    clearTimeout(timer)
    set(false)
  }
}

interface PlaceholderProps {
  error: Error | undefined
  /** Whether the value takes so long that this is said. */
  isSlow?: boolean
  reload: () => void
}

/** Stands for a value that is not there: it is loading, or could not be loaded. */
export function Placeholder({ error, isSlow, reload }: PlaceholderProps): VNode {
  if (!error) return <p class="soft loading">{isSlow ? 'Loading …' : ''}</p>
  return (
    <div class="failure" role="alert">
      <p>{error.message}</p>
      <button type="button" onClick={reload}>
        Retry
      </button>
    </div>
  )
}
