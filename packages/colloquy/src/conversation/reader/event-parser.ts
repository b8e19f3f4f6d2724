/** A server-sent event with its id. */
export interface IdentifiedEvent {
  id: string | undefined
  event: string | undefined
  data: string
}

/**
 * Parses the server-sent events of a response, wherever it is cut into chunks. Smaller than the parser of the client, which
 * is made for speed, and keeps the id.
 */
export class EventParser {
  readonly #decoder = new TextDecoder()
  #rest = ''

  /** The events that this chunk completes. */
  push(chunk: Uint8Array): IdentifiedEvent[] {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split(/(?:\r\n|\n){2}/)
    this.#rest = parts.pop()!
    return parts.flatMap((part) => {
      const fields = new Map(part.split(/\r?\n/).map(fieldOf))
      const data = fields.get('data')
      return data === undefined ? [] : [{ id: fields.get('id'), event: fields.get('event'), data }]
    })
  }
}

/** The name and the value of a line. The data of a turn is JSON, which is always one line. */
function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
