const pinned = new Map<unknown, unknown>()

/**
 * Keeps one object of the class alive for good, and with it the machine code that V8 compiled for the class.
 *
 * V8 drops that code when a full garbage collection finds no object of the class, as between two streams, and compiling it
 * again costs a third of the time of the next stream. Call this where a stream begins; after the first call it is a lookup.
 */
export function pinCompiledCode(one: new () => object): void {
  if (!pinned.has(one)) pinned.set(one, new one())
}

/**
 * As `pinCompiledCode()`, for all objects that the function returns: code for parsed events is dropped with the last event of
 * that shape. Without this, the loops over streams between garbage collections take a fifth longer.
 */
export function pinShapes(sample: () => unknown): void {
  if (!pinned.has(sample)) pinned.set(sample, sample())
}
