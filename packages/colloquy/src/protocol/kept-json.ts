const encoder = new TextEncoder()
const comma = encoder.encode(',')
const kept = new WeakMap<object, () => readonly Uint8Array[]>()

/**
 * Ties a value to the JSON that it was read from, so that a request sends exactly that: parsing and writing again would turn
 * `1.0` into `1`, lose the digits of large numbers and change the order of some keys, and it costs time for every old
 * message. The value must be frozen, and its parts with it: what cannot change cannot disagree with its JSON.
 *
 * A copy of the value is not tied: whoever sends something else makes a new object, as programs do with requests.
 *
 * @param json called when the value is sent; its pieces follow each other.
 */
export function keepJson<Value extends object>(value: Value, json: () => readonly Uint8Array[]): Value {
  if (!Object.isFrozen(value)) throw new TypeError('Cannot keep the JSON of a value as it may change: it is not frozen')
  kept.set(value, json)
  return value
}

/** The JSON of a request body. Where its messages were kept, or some of them, these are sent as they were read. */
export function encodeJson(body: object): string | readonly Uint8Array[] {
  const { messages, ...rest } = body as { messages?: unknown }
  if (!Array.isArray(messages)) return JSON.stringify(body)
  const pieces = kept.get(messages) ?? (messages.some((message) => kept.has(message as object)) && elements(messages))
  if (!pieces) return JSON.stringify(body)
  const head = JSON.stringify(rest)
  const start = head === '{}' ? '{"messages":' : `${head.slice(0, -1)},"messages":`
  return [encode(start), ...pieces(), encode('}')]
}

function elements(messages: readonly unknown[]): () => readonly Uint8Array[] {
  return () => {
    const all = messages.flatMap((message) => [
      comma,
      ...(kept.get(message as object)?.() ?? [encode(JSON.stringify(message) ?? 'null')]),
    ])
    return [encode('['), ...all.slice(1), encode(']')]
  }
}

function encode(text: string): Uint8Array {
  return encoder.encode(text)
}
