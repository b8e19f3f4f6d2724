import type { NodeSocket } from './modules.ts'

/** The time to make a connection, TLS included. A silent host would otherwise hold a request for its whole timeout. */
const connectTimeoutMs = 10_000

/** Destroys a socket with an error if it does not connect in time. */
export function limitConnecting(socket: NodeSocket): void {
  if (!socket.connecting && !socket.secureConnecting) return
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error(`no connection after ${connectTimeoutMs} ms`), { code: 'ETIMEDOUT' }))
  }, connectTimeoutMs)
  const settle = (): void => {
    clearTimeout(timer)
    socket.off('close', settle)
  }
  socket.once(socket.encrypted ? 'secureConnect' : 'connect', settle).on('close', settle)
}
