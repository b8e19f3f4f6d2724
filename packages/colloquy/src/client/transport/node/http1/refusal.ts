/** A response that is not valid HTTP/1.1. */
export class ResponseRefusal extends Error {
  /** As `node:http` names the same fault. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A part of a response as an error shows it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
