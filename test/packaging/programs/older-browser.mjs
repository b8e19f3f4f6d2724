// Takes away what the oldest supported browsers (Chrome 111, Firefox 115, Safari 16.4) lack. Loaded before the program.
const missing = [
  [URL, 'canParse'],
  [URL, 'parse'],
  [Promise, 'withResolvers'],
  [Promise, 'try'],
  [Array, 'fromAsync'],
  [Object, 'groupBy'],
  [Map, 'groupBy'],
  [AbortSignal, 'any'],
  [Response, 'json'],
  [Error, 'isError'],
  [RegExp, 'escape'],
  [Math, 'f16round'],
  [Symbol, 'dispose'],
  [Symbol, 'asyncDispose'],
  [Intl, 'Segmenter'],
  [Intl, 'DurationFormat'],
  [String.prototype, 'isWellFormed'],
  [String.prototype, 'toWellFormed'],
  [Headers.prototype, 'getSetCookie'],
  [ReadableStream, 'from'],
  [ReadableStream.prototype, 'values'],
  [ReadableStream.prototype, Symbol.asyncIterator],
  [ArrayBuffer.prototype, 'transfer'],
  [ArrayBuffer.prototype, 'resize'],
  [Blob.prototype, 'bytes'],
  [Response.prototype, 'bytes'],
  [Request.prototype, 'bytes'],
  [Uint8Array, 'fromBase64'],
  [Uint8Array.prototype, 'toBase64'],
  ...['union', 'intersection', 'difference', 'isSubsetOf'].map((name) => [Set.prototype, name]),
  ...['map', 'filter', 'take', 'drop', 'flatMap', 'toArray', 'some', 'find'].map((name) => [Iterator.prototype, name]),
  // Also missing in some web views.
  [globalThis, 'FinalizationRegistry'],
  [globalThis, 'WeakRef'],
  [globalThis, 'Iterator'],
  [globalThis, 'DisposableStack'],
  [globalThis, 'AsyncDisposableStack'],
  [globalThis, 'Float16Array'],
  [globalThis, 'navigator'],
  [globalThis, 'process'],
  [globalThis, 'Buffer'],
]

// Node's own modules still need some of them.
for (const [owner, name] of missing) {
  const { value, get } = Object.getOwnPropertyDescriptor(owner, name) ?? {}
  const original = value ?? get?.call(owner)
  if (!Object.getOwnPropertyDescriptor(owner, name)?.configurable) continue
  Object.defineProperty(owner, name, {
    configurable: true,
    get: () => (new Error('caller').stack.split('\n')[2]?.includes('node:') ? original : undefined),
  })
}
