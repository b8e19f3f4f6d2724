/** Why JSON cannot hold a value, in one line: V8 adds the path of a value that contains itself. @param error of `JSON.stringify()`. */
export function jsonFault(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0]!
}
