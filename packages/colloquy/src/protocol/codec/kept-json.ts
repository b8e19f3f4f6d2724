const encoder = new TextEncoder()
const comma = encoder.encode(',')
// A property and no WeakMap: with a key for every old message, collecting garbage took longer than the turn itself.
const kept = Symbol('the JSON of this value')

type Kept = string | (() => readonly Uint8Array[] | undefined)

/**
 * Ties a value to the JSON that it was read from, so that a request sends exactly that: parsing and writing again would turn
 * `1.0` into `1`, lose the digits of large numbers and change the order of some keys, and it costs time for every old
 * message.
 *
 * A copy of the value is not tied: whoever sends something else makes a new object, as programs do with requests. A value
 * that is tied to a text must be frozen with all its parts; for one that may change, `json` is called when it is sent, and
 * says undefined when the value is no longer what it was. The pieces that it returns follow each other.
 */
export function keepJson<Value extends object>(value: Value, json: Kept): Value {
  return Object.defineProperty(value, kept, { value: json, configurable: true })
}

/** Whether the value is tied to its JSON. */
export function isKept(value: object): boolean {
  return keptOf(value) !== undefined
}

/** The JSON of a value, that which it was read from where it was kept as a text. */
export function jsonOf(value: object): string {
  const json = keptOf(value)
  return typeof json === 'string' ? json : JSON.stringify(value)
}

/** The JSON of a request body. Where its messages were kept, or some of them, these are sent as they were read. */
export function encodeJson(body: object): string | readonly Uint8Array[] {
  const { messages, ...rest } = body as { messages?: unknown }
  if (!Array.isArray(messages)) return JSON.stringify(body)
  const pieces = piecesOf(messages) ?? elements(messages)
  if (pieces === undefined) return JSON.stringify(body)
  const head = JSON.stringify(rest)
  const start = head === '{}' ? '{"messages":' : `${head.slice(0, -1)},"messages":`
  return [encode(start), ...pieces, encode('}')]
}

/** Undefined where no message was kept. */
function elements(messages: readonly unknown[]): readonly Uint8Array[] | undefined {
  const all = messages.map(piecesOf)
  if (all.every((pieces) => pieces === undefined)) return undefined
  const list = all.flatMap((pieces, index) => [
    comma,
    ...(pieces ?? [encode(JSON.stringify(messages[index]) ?? 'null')]),
  ])
  return [encode('['), ...list.slice(1), encode(']')]
}

function piecesOf(value: unknown): readonly Uint8Array[] | undefined {
  const json = keptOf(value)
  return typeof json === 'string' ? [encode(json)] : json?.()
}

function keptOf(value: unknown): Kept | undefined {
  return (value as { [kept]?: Kept } | null | undefined)?.[kept]
}

function encode(text: string): Uint8Array {
  return encoder.encode(text)
}
