/**
 * The address of the server as the client has used it, without a slash at its end. A proxy that ends TLS, or takes a path off,
 * says so in headers; the URL on a port has no host of its own.
 */
export function addressUsed({ url, headers }: Request): string {
  const { protocol, host } = new URL(url)
  const scheme = headers.get('x-forwarded-proto') === 'https' ? 'https:' : protocol
  return `${scheme}//${headers.get('host') ?? host}${pathTakenOff(headers)}`
}

/** The path that a proxy has taken off, such as `/colloquy`. Empty without one. */
export function pathTakenOff(headers: Headers): string {
  return /^((?:\/[\w.~-]+)+)\/?$/.exec(headers.get('x-forwarded-prefix') ?? '')?.[1] ?? ''
}
