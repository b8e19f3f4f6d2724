import assert from 'node:assert/strict'
import { dirname } from 'node:path/posix'
import { test } from 'node:test'
import { entryPoints, type Import, importsOf, sources } from './source.ts'

/**
 * The layers from the bottom up. A file may import its own row and the rows above it in this list; a row has one or
 * more paths.
 */
const layers = [
  ['colloquy/src/protocol/types'],
  ['colloquy/src/protocol/codec'],
  ['colloquy/src/protocol/json'],
  ['colloquy/src/protocol/models'],
  ['colloquy/src/protocol'],
  ['colloquy/src/tools'],
  ['colloquy/src/client/transport'],
  ['colloquy/src/client/request'],
  ['colloquy/src/client/stream'],
  ['colloquy/src/client/tracing'],
  ['colloquy/src/client/agents'],
  ['colloquy/src/client/resources'],
  ['colloquy/src/client', 'colloquy/src/index.ts'],
  ['colloquy/src/engines'],
  [
    'colloquy/src/conversation/settings.ts',
    'colloquy/src/conversation/errors.ts',
    'colloquy/src/conversation/in-slices.ts',
    'colloquy/src/conversation/once-per.ts',
    'colloquy/src/conversation/ticker.ts',
    'colloquy/src/conversation/stores/store.ts',
  ],
  ['colloquy/src/conversation/history'],
  ['colloquy/src/conversation/window', 'colloquy/src/conversation/cache', 'colloquy/src/conversation/money'],
  ['colloquy/src/conversation/stores', 'colloquy/src/conversation/turn', 'colloquy/src/conversation/transfer'],
  ['colloquy/src/conversation'],
  ['server/src', 'llama/src'],
  ['cli/src/terminal'],
  ['cli/src/markdown', 'cli/src/editor'],
  // A reply has the same entities in the page and in the terminal.
  ['console/src'],
  ['cli/src'],
  ['cli/src/chat'],
  ['cli/src/commands'],
  ['cli/src/parse.ts', 'cli/src/program.ts', 'cli/src/main.ts'],
]

test('a file imports its own layer and the layers below it, types included', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => target && rankOf(target) > rankOf(file))
      .map(({ name }) => `${file} imports ${name}`),
  )
  assert.deepEqual(wrong, [])
})

test('no imports form a circle, types included', () => {
  assert.deepEqual(circles(), [])
})

test('a folder has at most 12 files beside its subfolders, without tests', () => {
  const sizes = Map.groupBy(sources, (file) => dirname(file))
  assert.deepEqual(
    [...sizes].filter(([, files]) => files.length > 12).map(([folder, files]) => `${folder}: ${files.length}`),
    [],
  )
})

test('the library imports only itself and Node modules', () => {
  const wrong = sources
    .filter((file) => file.startsWith('packages/colloquy/'))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ name }) => !/^(\.|node:)/.test(name))
        .map(({ name }) => `${file} imports ${name}`),
    )
  assert.deepEqual(wrong, [])
})

/** Small, and a part of the others: importing them alone loads nothing else. */
const partsOfOthers = ['colloquy/protocol', 'colloquy/conversation/errors']

test('an entry point of the library loads no other except protocol and conversation/errors', () => {
  const wrong = [...entryPoints]
    .filter(([name]) => name.startsWith('colloquy'))
    .map(([entryPoint, file]) => ({
      entryPoint,
      loads: entryPointsAmong(loadedBy(file)).filter((name) => name !== entryPoint && !partsOfOthers.includes(name)),
    }))
    .filter(({ loads }) => loads.length > 0)
  assert.deepEqual(wrong, [])
})

test('createServer() loads no module of Node, not even on demand: it runs in browsers and workers too', () => {
  const wrong = [...loadedBy('packages/server/src/index.ts')]
    .filter((file) => file.startsWith('packages/server/'))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ name, isTypeOnly }) => name.startsWith('node:') && !isTypeOnly)
        .map(({ name }) => `${file} imports ${name}`),
    )
  assert.deepEqual(wrong, [])
})

test('`ask` loads the renderer of Markdown on demand, as a reply in a pipe does not need it', () => {
  const loaded = loadedBy('packages/cli/src/commands/ask/ask.ts', ({ isOnDemand }) => !isOnDemand)
  assert.ok(loaded.has('packages/cli/src/chat/reply/reply-writer.ts'))
  assert.ok(!loaded.has('packages/cli/src/markdown/markdown-stream.ts'))
})

/** Returns the row with the longest path that contains the file. */
function rankOf(file: string): number {
  const places = layers.flatMap((row, rank) => row.map((place) => ({ place: `packages/${place}`, rank })))
  const holding = places.filter(({ place }) => file === place || file.startsWith(`${place}/`))
  return holding.toSorted((a, b) => b.place.length - a.place.length)[0]!.rank
}

/** Returns every group of files that import each other, by Tarjan's algorithm. */
function circles(): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): void => {
    order.set(file, order.size)
    lowest.set(file, order.get(file)!)
    stack.push(file)
    for (const { target } of importsOf(file)) {
      if (!target || !sources.includes(target)) continue
      if (!order.has(target)) visit(target)
      if (stack.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!))
    }
    if (lowest.get(file) !== order.get(file)) return
    const group = stack.splice(stack.indexOf(file))
    if (group.length > 1) found.push(group.toSorted())
  }
  for (const file of sources) if (!order.has(file)) visit(file)
  return found
}

function entryPointsAmong(files: Set<string>): string[] {
  return [...entryPoints].filter(([, file]) => files.has(file)).map(([name]) => name)
}

/** The files that a file loads, by those of its imports that count. Default: all, also `import()`. */
function loadedBy(file: string, counts: (found: Import) => boolean = () => true): Set<string> {
  const files = new Set<string>()
  const visit = (path: string): void => {
    if (!sources.includes(path) || files.has(path)) return
    files.add(path)
    for (const found of importsOf(path)) if (found.target && !found.isTypeOnly && counts(found)) visit(found.target)
  }
  visit(file)
  return files
}
