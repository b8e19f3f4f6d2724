/** Whether a failure with the code stays the same a second later, such as a certificate that is not valid. */
export function isLasting(code: string | undefined): boolean {
  return /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|ERR_INVALID_|ERR_UNESCAPED|ERR_PROXY_REFUSED)/.test(
    code ?? '',
  )
}

/** The shortest text that says why a connection failed. */
export function reasonIn({ code, message }: Error & { code?: unknown }): string {
  // OpenSSL puts the reason between the names of its functions and files.
  const [, reason] = / routines:\w*:([^:]+)/.exec(message) ?? []
  if (reason) return `TLS: ${reason}`
  // The codes of the system are known by name; a code of a library says less than its message.
  return typeof code === 'string' && !/^(ERR|HPE|Z|UND)_/.test(code) ? code : message
}
