/** A value of a request as text. Empty for objects, which a request may hold where the API expects a text. */
export function printable(value: unknown): string {
  return typeof value === 'object' || value === undefined ? '' : String(value)
}
