const encoder = new TextEncoder()
const comma = encoder.encode(',')
const kept = new WeakMap<object, () => readonly Uint8Array[] | undefined>()

/**
 * Ties a value to the JSON that it was read from, so that a request sends exactly that: parsing and writing again would turn
 * `1.0` into `1`, lose the digits of large numbers and change the order of some keys, and it costs time for every old
 * message.
 *
 * A copy of the value is not tied: whoever sends something else makes a new object, as programs do with requests.
 *
 * @param json called when the value is sent; its pieces follow each other. It says undefined when the value has changed, so
 * a value that may change is compared, and one that may not is frozen with all its parts.
 */
export function keepJson<Value extends object>(value: Value, json: () => readonly Uint8Array[] | undefined): Value {
  kept.set(value, json)
  return value
}

/** The JSON of a request body. Where its messages were kept, or some of them, these are sent as they were read. */
export function encodeJson(body: object): string | readonly Uint8Array[] {
  const { messages, ...rest } = body as { messages?: unknown }
  if (!Array.isArray(messages)) return JSON.stringify(body)
  const pieces = kept.get(messages)?.() ?? elements(messages)
  if (pieces === undefined) return JSON.stringify(body)
  const head = JSON.stringify(rest)
  const start = head === '{}' ? '{"messages":' : `${head.slice(0, -1)},"messages":`
  return [encode(start), ...pieces, encode('}')]
}

/** Undefined where no message was kept. */
function elements(messages: readonly unknown[]): readonly Uint8Array[] | undefined {
  const all = messages.map((message) => kept.get(message as object)?.())
  if (all.every((pieces) => pieces === undefined)) return undefined
  const list = all.flatMap((pieces, index) => [
    comma,
    ...(pieces ?? [encode(JSON.stringify(messages[index]) ?? 'null')]),
  ])
  return [encode('['), ...list.slice(1), encode(']')]
}

function encode(text: string): Uint8Array {
  return encoder.encode(text)
}
