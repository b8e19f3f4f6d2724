/** The headers of a response that tell the rate limits of its sender. */
export function rateLimitHeaders(headers: Iterable<readonly [name: string, value: string]>): Record<string, string> {
  const limits: Record<string, string> = {}
  for (const [name, value] of headers) if (isRateLimit(name)) limits[name] = value
  return limits
}

export function isRateLimit(name: string): boolean {
  return /^anthropic-(?:ratelimit|priority|fast)-/.test(name)
}
