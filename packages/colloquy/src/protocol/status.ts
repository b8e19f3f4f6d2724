/** Whether a request that failed with the HTTP status may succeed later, unless the response's `x-should-retry` says otherwise. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500
}
