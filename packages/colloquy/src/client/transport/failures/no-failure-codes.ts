// Stands in for failure-codes.ts in bundles for browsers, whose failures have no code.

export function isLasting(): boolean {
  return false
}

export function reasonIn({ message }: Error): string {
  return message
}
