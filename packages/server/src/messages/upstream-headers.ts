/** The headers of an upstream's response that are passed to the client: its rate limits, and its request id by another name. */
export function upstreamHeaders(headers: Headers): [name: string, value: string][] {
  const passed = [...headers].filter(([name]) => /^anthropic-(?:ratelimit|priority|fast)-/.test(name))
  const id = headers.get('request-id')
  return id === null ? passed : [...passed, ['upstream-request-id', id]]
}
