// The table of outcomes in other runtimes. Each row holds there as it does over Node's sockets or its `fetch`, or says why not.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { build } from 'esbuild'
import { type Outcome, type RawServer, rawServer, rows, streams } from '../outcomes.ts'
import { root } from '../source.ts'
import { find, type RuntimeName } from './downloads.ts'
import { start } from './programs.ts'
import type { OutcomeRequest } from './programs/outcomes.ts'
import { startWorker } from './workerd.ts'

const table = [
  ...rows.map((row) => ({ ...row, isStream: false })),
  ...streams.map((row) => ({ ...row, isStream: true })),
]

const scratch = mkdtempSync(join(tmpdir(), 'colloquy-outcomes-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

// Not a file of its own for each, as Bun would serve the worker.
const ends = {
  node: `process.stdout.write(JSON.stringify(await outcomes(process.argv[2])))`,
  browser: `const answer = async ({ url }) => Response.json(await outcomes(new URL(url).searchParams.get('address')))
    export default { fetch: answer }`,
}

async function programFor(platform: 'node' | 'browser', conditions: string[] = []): Promise<string> {
  const outfile = join(scratch, `${platform}.mjs`)
  const contents = `import { outcomes } from './outcomes.ts'\n${ends[platform]}`
  const stdin = { contents, resolveDir: join(root, 'test/runtimes/programs') }
  await build({
    stdin,
    outfile,
    bundle: true,
    format: 'esm',
    platform,
    conditions: ['@colloquy/source', ...conditions],
  })
  return outfile
}

/** The outcomes that a runtime cannot have as others do, by row, with the reason. */
type Exceptions = Record<string, [outcome: RegExp, requests: number | 'one or two', because: string]>

const notDecoded = 'its fetch decodes only the encodings that it requested'
const unread: [RegExp, number] = [/^APIResponseError: 200 Cannot read the response as JSON/, 2]
const undecoded: Exceptions = {
  'x-gzip': [...unread, notDecoded],
  deflate: [...unread, notDecoded],
  'deflate without its header': [...unread, notDecoded],
  'gzip, then br': [...unread, notDecoded],
  'stream: deflate': [/^APIStreamError: Stream broke off after 0 events/, 2, notDecoded],
}
const dropped = 'its fetch may drop what came before a cut'
const noUpgrade: Exceptions = { 'status 101': [/^APIError: 101/, 1, 'its fetch returns the response'] }

const runtimes: {
  name: RuntimeName
  run: (program: string, address: string) => Promise<string>
  exceptions: Exceptions
}[] = [
  { name: 'Node 22.13.0', run: (program, address) => printed(program, [], address), exceptions: {} },
  {
    name: 'Bun 1.4.5',
    run: (program, address) => printed(program, ['run'], address),
    exceptions: {
      'status 400 with a body that is cut': [/^BadRequestError: 400/, 1, dropped],
      'gzip, then br': [...unread, notDecoded],
      'gzip that is cut': [/^APIConnectionError.*ZlibError/, 2, 'its error has another text'],
      'stream: gzip that is cut': [/^APIStreamError: Stream broke off/, 'one or two', dropped],
      'stream: a cut after the first event': [/^APIStreamError: Stream broke off/, 'one or two', dropped],
    },
  },
  {
    name: 'Deno 2.9.6',
    run: (program, address) => printed(program, ['run', '-A', '--no-remote'], address),
    exceptions: { ...undecoded, ...noUpgrade },
  },
  {
    name: 'workerd 1.20261117.1',
    run: inWorker,
    exceptions: {
      ...undecoded,
      ...noUpgrade,
      'GZip in another case': [...unread, notDecoded],
      'gzip that is cut': [/^APIConnectionError.*ended prematurely/, 2, 'its error has another text'],
      'gzip of nothing': [/^APIConnectionError.*ended prematurely/, 2, 'it expects the head of a gzip file'],
      'status 502, gzip of nothing': [/^InternalServerError: 502 /, 2, 'it expects the head of a gzip file'],
    },
  },
]

async function printed(program: string, parameters: string[], address: string): Promise<string> {
  const { child, ended } = start(program, [...parameters, await programFor('node'), address])
  child.stdin?.end()
  const { stdout, stderr } = await ended
  return stdout || stderr
}

async function inWorker(program: string, address: string): Promise<string> {
  const worker = await startWorker(program, await programFor('browser', ['workerd', 'worker']), [])
  try {
    return await (await fetch(`${worker.url}/?address=${encodeURIComponent(address)}`)).text()
  } finally {
    await worker.stop()
  }
}

for (const { name, run, exceptions } of runtimes) {
  const { program, skip } = find(name)
  if (skip) {
    test(`outcomes in ${name}`, { skip }, () => {})
    continue
  }
  suite(`outcomes in ${name}`, () => {
    const stops: (() => void)[] = []
    const servers: RawServer[] = []
    let found: string[] = []
    before(async () => {
      for (const { respond } of table)
        servers.push(await rawServer({ after: (end) => stops.push(end as () => void) }, respond))
      const requests: OutcomeRequest[] = table.map(({ isStream, options }, index) => ({
        url: servers[index]!.url,
        isStream,
        options,
      }))
      const list = createServer((_, response) => response.end(JSON.stringify(requests))).listen(0, '127.0.0.1')
      stops.push(() => list.close())
      await new Promise((resolve) => list.once('listening', resolve))
      const text = await run(program!, `http://127.0.0.1:${(list.address() as AddressInfo).port}`)
      assert.match(text, /^\[/)
      found = JSON.parse(text) as string[]
    })
    after(() => stops.forEach((stop) => stop()))

    table.forEach(({ name: row, isStream, outcome, fetch }, index) => {
      const key = isStream ? `stream: ${row}` : row
      test(key, () => {
        const [text, count] = exceptions[key] ?? (fits(outcome, found[index]!) ? outcome : (fetch?.outcome ?? outcome))
        assert.match(found[index]!, text instanceof RegExp ? text : new RegExp(`^${text}$`))
        if (count !== 'one or two') assert.equal(servers[index]!.count(), count)
      })
    })
  })
}

function fits([text]: Outcome, found: string): boolean {
  return text instanceof RegExp ? text.test(found) : text === found
}
