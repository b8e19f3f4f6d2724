const depth = 100_000

/** A list of more levels than `JSON.stringify()` can write. */
export function nested(): unknown {
  let value: unknown = 'x'
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

/** An object that contains itself. */
export const circle: Record<string, unknown> = {}
circle['self'] = circle

/** Values of each simple kind, by name: most of them are not what a parameter takes. */
export const plainValues: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  'a number': 5,
  'a text': 'x',
  'a symbol': Symbol('s'),
  'a list': [1],
  'a function': () => 1,
  'a bigint': 1n,
  true: true,
}

/** Objects that JSON cannot hold, by name. */
export const unwritableObjects: Readonly<Record<string, unknown>> = {
  'deep nesting': nested(),
  'a value that contains itself': circle,
}
