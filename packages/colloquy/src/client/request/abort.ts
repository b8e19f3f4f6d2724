type Callback = (reason: unknown) => void

interface Watch {
  callbacks: Set<Callback>
  tell: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/**
 * Calls back when the signal aborts; returns what ends that. However many calls share a signal, it has one listener of ours,
 * and none once they are over: Node warns of many, and each would keep its call alive for as long as the signal lives.
 */
export function onAbort(signal: AbortSignal, callback: Callback): () => void {
  const { callbacks, tell } = watches.get(signal) ?? watch(signal)
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return
    watches.delete(signal)
    signal.removeEventListener('abort', tell)
  }
}

function watch(signal: AbortSignal): Watch {
  const callbacks = new Set<Callback>()
  const tell = (): void => {
    watches.delete(signal)
    for (const callback of callbacks) callback(signal.reason)
  }
  signal.addEventListener('abort', tell, { once: true })
  const made = { callbacks, tell }
  watches.set(signal, made)
  return made
}
