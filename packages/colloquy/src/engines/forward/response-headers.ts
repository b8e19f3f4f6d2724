import type { TransportResponse } from '../../client/transport/transport.ts'

/** The headers of a response. On Node without the class `Headers`, which loads all of `fetch`. */
export function headersOf(response: TransportResponse): Iterable<readonly [name: string, value: string]> {
  const { fields } = response
  if (!fields) return response.headers()
  return Array.from({ length: fields.length / 2 }, (_, index) => [fields[2 * index]!, fields[2 * index + 1]!] as const)
}
