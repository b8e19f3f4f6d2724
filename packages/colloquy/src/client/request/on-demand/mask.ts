// Loaded when requests are logged.

const secretName = /(authorization|cookie|key|secret|token)$/i

/** The headers with secret values masked, for a log. */
export function maskHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, maskValue(name, value)]))
}

/** The URL with secret values of its query masked, for a log. */
export function maskUrl(url: string): string {
  return url.replace(
    /([?&])([^=&]*)=([^&]*)/g,
    (_, before, name, value) => `${before}${name}=${maskValue(name, value)}`,
  )
}

function maskValue(name: string, value: string): string {
  return secretName.test(name) ? '***' : value
}
