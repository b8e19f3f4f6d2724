/** The headers of an upstream's response that are passed to the client: its rate limits, and its request id by another name. */
export function upstreamHeaders(headers: Headers): Record<string, string> {
  const passed: Record<string, string> = {}
  for (const [name, value] of headers) if (/^anthropic-(?:ratelimit|priority|fast)-/.test(name)) passed[name] = value
  const id = headers.get('request-id')
  return id === null ? passed : { ...passed, 'upstream-request-id': id }
}
