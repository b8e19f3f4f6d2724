/** Whether a failure with the code stays the same a second later, such as a certificate that is not valid. */
export function isLasting(code: string | undefined): boolean {
  return /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|ERR_INVALID_|ERR_UNESCAPED|ERR_PROXY_REFUSED|UND_ERR_INVALID_ARG)/.test(
    code ?? '',
  )
}

/** The shortest text that says why a connection failed. */
export function reasonIn({ code, message }: Error & { code?: unknown }): string {
  // OpenSSL puts the reason between the names of its functions and files.
  const [, reason] = / routines:\w*:([^:]+)/.exec(message) ?? []
  if (reason) return `TLS: ${reason}`
  // The `fetch` of Node and an `Agent` of another version of undici call methods that the other does not have.
  if (code === 'UND_ERR_INVALID_ARG' && /^invalid on\w+ method$/.test(message))
    return 'the dispatcher is of another version of undici than fetch: pass the fetch of that undici as an option too'
  // The codes of the system are known by name; a code of a library says less than its message.
  return typeof code === 'string' && !/^(ERR|HPE|Z|UND)_/.test(code) ? code : message
}
