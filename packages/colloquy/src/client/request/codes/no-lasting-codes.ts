/** Stands in for lasting-codes.ts in bundles for browsers, whose failures have no code. */
export function isLasting(): boolean {
  return false
}
