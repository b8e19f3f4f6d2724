import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import { createServer } from '@colloquy/server'
import { listen } from '@colloquy/server/node'
import * as colloquy from 'colloquy'
import { offline } from 'colloquy/engines'
import { codeErrors } from '../packages/colloquy/src/client/request/codes/code-errors.ts'
import { isRetryable } from '../packages/colloquy/src/client/request/errors.ts'
import { slashCommands } from '../packages/cli/src/chat/slash/table.ts'
import { parse } from '../packages/cli/src/commands/parse.ts'
import { commands } from '../packages/cli/src/commands/table.ts'
import { docExamples } from './doc-examples.ts'
import { run, runInTurn } from './program.ts'
import { entryPoints, read, root } from './source.ts'

interface Program {
  /** The page and the line number. */
  place: string
  file: string
  text: string
  /** The output according to the page. */
  output: string | undefined
}

const pages = globSync(['*.md', 'docs/**/*.md', 'examples/*.md', 'packages/*/README.md'], { cwd: root }).toSorted()
// Next to the packages, so that `import 'colloquy'` resolves as in a user's program.
const folder = mkdtempSync(join(root, '.docs-'))
const scratch = mkdtempSync(join(tmpdir(), 'colloquy-docs-'))
after(() => [folder, scratch].forEach((each) => rmSync(each, { recursive: true, force: true })))
// Pages about the internals show signatures rather than programs.
const programs = pages.filter((page) => !/^(ARCHITECTURE|docs\/decisions)/.test(page)).flatMap(programsOf)
const examples = docExamples().map((example, i) => ({ ...example, file: join(folder, `example-${i + 1}.ts`) }))

/** Exported functions and classes whose signature and sentence are enough, or that the example of a neighbour shows. */
const plain =
  `attachJson bandFor base64Bytes Beta callsIn catalogueChoices checkOptionNames checkSpace countOf cutCalls describeIssues
  describeMismatch describeStandardIssues documentBlock documentPages emptyMessage encodeEvent encodeJson
  findRequest hasAttachedJson hasRuntime imageBlock imageSize isBlank isErrorBody isErrorEvent isLoopback isModelOnly
  isRetryableStatus isRunnable isServerToolBlock isStandardSchema isThinking isUserOnly jsonOf keyObject mcpContent
  mcpMessage mcpTool mediaType messageJson modelInfo nearestUse nearMiss newConsoleToken oneLine PagePromise
  parseEvent pdfPages readSpending receivedJson requestObject requestOf requestRow sendable setPartialInput
  toJsonSchema toUsd usageFrom`.split(/\s+/)

/** The examples that need a network, a database, a model file or a test runner: they are compiled only. */
const needsMore = new Set(
  `cassette download findModels findServers findOffer getModel installRuntime llama readGguf postgresStore Batches
  Files`.split(/\s+/),
)

test('every program in the pages and doc comments compiles', () => {
  const compilerOptions = { isolatedDeclarations: false, exactOptionalPropertyTypes: false, moduleDetection: 'force' }
  const config = { extends: '../tsconfig.json', compilerOptions, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  for (const { file, text } of [...programs, ...examples]) writeFileSync(file, text)
  assert.ok(programs.length >= 5)
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' })
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout)
  }
})

/** Programs that change their process, which the others share: they have one of their own. */
const needsProcess = /'node:test'|process\.once|TracerProvider|PGlite/

test('every program in the pages runs and prints what its page says', async (t) => {
  const together = programs.filter(({ text }) => !needsProcess.test(text)).map(({ file }) => file)
  const outcomes = await runInTurn(together, scratch)
  for (const { place, file, output } of programs)
    await t.test(place, async () => {
      const { stdout, stderr, code } = outcomes.get(file) ?? (await run(file, { folder: scratch }))
      assert.equal(code, 0, stderr)
      if (output !== undefined) assert.equal(stdout.trimEnd(), output.trimEnd())
    })
})

test('every example in a doc comment runs and prints what its comments say', async (t) => {
  // One process for all: each would take longer to start than to run.
  const environment = { ...process.env }
  const listener = await listen(createServer({ engine: offline() }), { host: '127.0.0.1', port: 0 })
  Object.assign(process.env, { ANTHROPIC_BASE_URL: listener.url, ANTHROPIC_API_KEY: 'sk-test' })
  process.chdir(scratch)
  try {
    for (const { place, name, file, output } of examples.filter((each) => !needsMore.has(each.name)))
      await t.test(`${name} (${place})`, async (each) => {
        const lines: string[] = []
        each.mock.method(console, 'log', (...values: unknown[]) => void lines.push(format(...values)))
        await import(pathToFileURL(file).href)
        assert.deepEqual(lines, output.length > 0 ? output : lines)
      })
  } finally {
    process.chdir(root)
    process.env = environment
    await listener.close()
  }
})

test('every exported function and class has an example, or needs none', async () => {
  const named = new Set([...examples.map(({ name }) => name), ...plain])
  const missing: string[] = []
  for (const entry of entryPoints.keys()) {
    for (const [name, value] of Object.entries((await import(entry)) as Record<string, unknown>)) {
      // An alias has the example of the function that it names; the classes of errors have a page.
      const isShown = typeof value !== 'function' || value.prototype instanceof Error || named.has(value.name)
      if (!isShown) missing.push(`${entry}: ${name}`)
    }
  }
  assert.deepEqual(missing, [])
})

test('every relative link in the pages has a target', () => {
  const broken = pages.flatMap((page) =>
    [...proseOf(page).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !leadsSomewhere(page, target))
      .map((target) => `${page}: ${target}`),
  )
  assert.deepEqual(broken, [])
})

test('every file and folder that ARCHITECTURE.md and CONTRIBUTING.md name exists', () => {
  const files = globSync(['packages/*/{src/**,package.json}', '{test,docs,examples,bench,scripts}/**'], {
    cwd: root,
  })
  const missing = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((page) =>
    [...read(page).matchAll(/[\w.-]+\/[\w./-]*[\w-](?:\.ts|(?=\/?`))|\b[\w-]+(?:\.test)?\.ts\b/g)]
      .map(([path]) => path)
      .filter((path) => !entryPoints.has(path) && !files.some((file) => `/${file}`.endsWith(`/${path}`)))
      .map((path) => `${page}: ${path}`),
  )
  assert.deepEqual(missing, [])
})

test('every npm script in the pages exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const unknown = pages.flatMap((page) =>
    [...read(page).matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g)]
      .map(([, script, short]) => (script ?? short)!)
      .filter((script) => !(script in scripts))
      .map((script) => `${page}: npm run ${script}`),
  )
  assert.deepEqual(unknown, [])
})

test('every command line in the pages is valid', async () => {
  for (const page of pages) {
    for (const words of commandLinesOf(page)) {
      await assert.doesNotReject(parse(words), page)
      const [name, sub] = words
      const { subcommands, synopsis } = commands.find((command) => command.name === name) ?? {}
      // The other words of these two can only be the name of a subcommand.
      if (subcommands && /^\[list\]$/.test(synopsis!) && /^[a-z]+$/.test(sub ?? ''))
        assert.ok(
          subcommands.some((each) => each.name === sub),
          `${page}: colloquy ${words.join(' ')}`,
        )
    }
  }
})

test('the table of errors lists every class with its status and whether it is retried', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| (`.+?) \| ([\d, ]*)\| .+ \| (.+) \|$/gm)]
  const listed = rows.flatMap(([, names, statuses, again]) => {
    const status = statuses!.split(',').map(Number)
    return [...names!.matchAll(/`(\w+)`/g)].map(([, name], i) => ({ name: name!, status: status[i]!, again: again! }))
  })
  const classes = Object.keys(colloquy).filter((name) => /^[A-Z]\w*Error$/.test(name) && !(name in codeErrors))
  assert.deepEqual(['AnthropicError', ...listed.map(({ name }) => name)].toSorted(), classes.toSorted())
  for (const { name, status, again } of listed.filter(({ status }) => status >= 400)) {
    const error = colloquy.APIError.generate(status, undefined, undefined, new Headers())
    assert.equal(error.name, name)
    assert.equal(isRetryable(error), again.startsWith('yes'), name)
  }
})

test('every slash command in the pages exists in the chat', () => {
  const names = slashCommands.flatMap(({ name, aliases = [] }) => [name, ...aliases])
  const named = [...read('docs/chat.md').matchAll(/`\/([a-z]+)/g)].map(([, name]) => name!)
  assert.deepEqual(
    named.filter((name) => !names.includes(name)),
    [],
  )
  assert.ok(named.length >= 10)
})

function programsOf(page: string): Program[] {
  const blocks = [...read(page).matchAll(/^```ts\n([^]*?)^```$(?:\n+^```text\n([^]*?)^```$)?/gm)]
  return blocks.map(({ index, 1: text, 2: output }, number) => ({
    place: `${page}:${read(page).slice(0, index).split('\n').length + 1}`,
    file: join(folder, `${page.replace(/\.md$/, '').replaceAll(/\W+/g, '-').toLowerCase()}-${number + 1}.ts`),
    text: text!,
    output,
  }))
}

/** The words after `colloquy` in shell blocks, and in code in a line. */
function commandLinesOf(page: string): string[][] {
  const blocks = [...read(page).matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text]) => text!)
  const inLines = [...read(page).matchAll(/`(colloquy (?:keys|config) [a-z][^`…|]*)`/g)].map(([, text]) => text!)
  const calls = [...blocks, ...inLines].flatMap((text) =>
    [...text.matchAll(/(?:^|\| )colloquy\b([^|>#\n]*)/gm)].map(([, rest]) => rest!),
  )
  return calls.map((rest) => [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => (quoted ?? bare)!))
}

/** A page without its code, where brackets have another meaning. */
function proseOf(page: string): string {
  return read(page)
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || headingsOf(target).includes(anchor)
}

/** The anchors of the headings, as GitHub generates them. */
function headingsOf(page: string): string[] {
  const text = read(page).replaceAll(/^```[^]*?^```$/gm, '')
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
