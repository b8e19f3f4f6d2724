/** A response that is not valid HTTP/1.1. */
export class ResponseRefusal extends Error {
  /** As `node:http` names the same fault. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Whether a response arrived that is not valid HTTP/1.1, read here or by `node:http`. */
export function isRefusal(error: unknown): boolean {
  return String((error as { code?: unknown } | undefined)?.code).startsWith('HPE_')
}

/** A part of a response as an error shows it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
