import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { packedPackages } from './packed.ts'

const ceilingBytes = 14_000

// The published package, whose manifest tells bundlers which modules a browser does not need.
const folder = mkdtempSync(join(tmpdir(), 'colloquy-size-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const [library] = await packedPackages()
execFileSync(
  'tar',
  ['--extract', '--gzip', '--strip-components=1', '--file', basename(library!.tarball), '--directory', folder],
  {
    // A drive's letter in the path would be the name of another machine.
    cwd: dirname(library!.tarball),
  },
)

test(`the client is at most ${ceilingBytes / 1000} KB in a browser, minified and compressed`, async (t) => {
  const chunks = await firstChunks(`import Anthropic from 'colloquy'; export const client = new Anthropic()`)
  const bytes = chunks.map((chunk) => gzipSync(chunk, { level: 9 }).length).reduce((sum, length) => sum + length, 0)
  t.diagnostic(`${bytes} bytes`)
  assert.ok(bytes <= ceilingBytes, `${bytes} bytes`)
})

test('readTurn() is at most 4 KB in a browser, minified and compressed', async (t) => {
  const chunks = await firstChunks(`export { readTurn } from 'colloquy/conversation/reader'`)
  const bytes = chunks.map((chunk) => gzipSync(chunk, { level: 9 }).length).reduce((sum, length) => sum + length, 0)
  t.diagnostic(`${bytes} bytes`)
  assert.ok(bytes <= 4_096, `${bytes} bytes`)
})

test('the client loads no Node module in a browser', async () => {
  const chunks = await firstChunks(`import Anthropic from 'colloquy'; export const client = new Anthropic()`)
  for (const chunk of chunks) assert.doesNotMatch(new TextDecoder().decode(chunk), /["']node:(?!process)/)
})

test('a program with require() can be bundled for a browser', async () => {
  const contents = `const { Anthropic, APIError } = require('colloquy')
    const { tool } = require('colloquy/tools')
    globalThis.result = [new Anthropic({ apiKey: 'key' }).baseURL, typeof tool, new APIError(500).name]`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    write: false,
    platform: 'browser',
    logLevel: 'silent',
  })
  const { Headers, TextDecoder, TextEncoder, URL, console } = globalThis
  const page: Record<string, unknown> = createContext({ Headers, TextDecoder, TextEncoder, URL, console })
  runInContext(outputFiles[0]!.text, page)
  assert.equal(JSON.stringify(page['result']), '["https://api.anthropic.com","function","APIError"]')
})

test('the client is two files on Node and shares its errors with other entry points', async () => {
  const file = (name: string): string => join(folder, 'dist/esm', name)
  const importsIn = (name: string): string[] =>
    [...readFileSync(file(name), 'utf8').matchAll(/from\s*"\.\/([^"]+)"/g)].map(([, path]) => path!)
  assert.deepEqual([...new Set(importsIn('index.js'))], ['shared/client.js'])
  assert.deepEqual(importsIn('shared/client.js'), [])
  const client = (await import(pathToFileURL(file('index.js')).href)) as Record<string, unknown>
  const protocol = (await import(pathToFileURL(file('protocol/index.js')).href)) as Record<string, unknown>
  assert.equal(client['APIError'], protocol['APIError'])
})

test('the errors of the client have their own names in the bundle', async () => {
  const client = (await import(pathToFileURL(join(folder, 'dist/esm/index.js')).href)) as Record<string, unknown>
  for (const [name, value] of Object.entries(client))
    if (name.endsWith('Error')) assert.equal((value as { name: string }).name, name)
})

/** The files that a page loads before the program runs: its static imports. */
async function firstChunks(contents: string): Promise<Uint8Array[]> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder, loader: 'ts' },
    bundle: true,
    minify: true,
    splitting: true,
    write: false,
    metafile: true,
    outdir: 'out',
    // Names of chunks are hashes of paths, and count as bytes: with whole paths they would differ in each run.
    absWorkingDir: folder,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  })
  const reached = new Set<string>()
  const reach = (name: string): void => {
    if (reached.has(name)) return
    reached.add(name)
    const { imports } = metafile.outputs[name]!
    for (const { kind, path } of imports) if (kind === 'import-statement') reach(path)
  }
  reach(Object.keys(metafile.outputs).find((name) => metafile.outputs[name]!.entryPoint === '<stdin>')!)
  const names = [...reached].map((name) => basename(name))
  return outputFiles.filter(({ path }) => names.includes(basename(path))).map((file) => file.contents)
}
