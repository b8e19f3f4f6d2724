/** Whether a failure with the code stays the same a second later, such as a certificate that is not valid. */
export function isLasting(code: string | undefined): boolean {
  return /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|ERR_INVALID_|ERR_UNESCAPED|ERR_PROXY_REFUSED)/.test(
    code ?? '',
  )
}
