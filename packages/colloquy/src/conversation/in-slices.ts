/** A pass over many items that can pause at each `yield`, so that it does not block the event loop. */
export type Pausable<Result> = Generator<void, Result, void>

/** How long a pass runs before other work of the process may run, in milliseconds. */
const sliceMs = 10

/** Runs a pass to its end, and lets other work of the process run every 10 ms. */
export async function inSlices<Result>(pass: Pausable<Result>): Promise<Result> {
  for (let end = performance.now() + sliceMs; ;) {
    const { done, value } = pass.next()
    if (done) return value
    if (performance.now() < end) continue
    await nextTask()
    end = performance.now() + sliceMs
  }
}

/** A pass that also yields what it has found so far, one after the other. */
export type PausableItems<Item> = Generator<Item | void, void, void>

/** Passes on items, also those of a pass, and lets other work of the process run every 10 ms. */
export async function* paced<Item>(items: Iterable<Item | void> | AsyncIterable<Item>): AsyncGenerator<Item> {
  let end = performance.now() + sliceMs
  for await (const item of items) {
    if (item !== undefined) yield item
    if (performance.now() < end) continue
    await nextTask()
    end = performance.now() + sliceMs
  }
}

/** All items of a pass. */
export function* collected<Item>(pass: PausableItems<Item>): Pausable<Item[]> {
  const items: Item[] = []
  for (const item of pass) {
    if (item !== undefined) items.push(item)
    yield
  }
  return items
}

/** The first item of a pass, which goes no further; undefined if there is none. */
export function* firstOf<Item>(pass: PausableItems<Item>): Pausable<Item | undefined> {
  for (const item of pass) {
    if (item !== undefined) return item
    yield
  }
  return undefined
}

/** As `Array.map()`, with a pause after each item. */
export function* mapped<Item, Result>(
  items: Iterable<Item>,
  change: (item: Item, index: number) => Result,
): Pausable<Result[]> {
  const results: Result[] = []
  for (const item of items) {
    results.push(change(item, results.length))
    yield
  }
  return results
}

/** Browsers have no `setImmediate()`. In Node, `setTimeout()` would wait for a millisecond. */
function nextTask(): Promise<void> {
  const { setImmediate: start = setTimeout } = globalThis as { setImmediate?: (run: () => void) => unknown }
  return new Promise((resolve) => void start(resolve))
}
