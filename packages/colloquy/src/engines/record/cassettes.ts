import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { CassettePort } from './cassette.ts'
import { type CassetteMode, record, type RecordingEngine, type RecordOptions } from './record.ts'

/**
 * A cassette in a file. Its folder is created with the first recording.
 *
 * @example
 * ```ts
 * import { cassetteFile } from 'colloquy/engines/cassettes'
 * import { offline, record } from 'colloquy/engines'
 * import { accumulate } from 'colloquy/protocol'
 *
 * // The first run records, later ones replay.
 * const engine = record({ cassette: cassetteFile('weather.json'), engine: offline(), mode: 'record-missing' })
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * await accumulate(engine({ model: 'claude-sonnet-4-6', max_tokens: 100, messages }))
 * ```
 */
export function cassetteFile(path: string | URL): CassettePort {
  const file = path instanceof URL ? fileURLToPath(path) : path
  return {
    name: relative(process.cwd(), file) || file,
    async read() {
      try {
        return await readFile(file, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async write(text) {
      await mkdir(dirname(file), { recursive: true })
      // A program that is killed while it writes leaves the cassette of before.
      const fresh = `${file}.${process.pid}.tmp`
      await writeFile(fresh, text)
      await rename(fresh, file)
    },
  }
}

/** Options of `cassette()`. */
export interface CassetteOptions extends Partial<Omit<RecordOptions, 'cassette'>> {
  /** The file. Default: `cassettes/FILE OF THE TEST/NAME OF THE TEST.json`, beside the test. */
  path?: string | URL
}

/** The context of a running test: the argument of a test function of node:test or vitest. */
export interface RunningTest {
  fullName?: string | undefined
  filePath?: string | undefined
  task?: object | undefined
}

/**
 * An engine with a cassette for the running test, for node:test, vitest and jest.
 *
 * The mode is that of the options, else of the environment variable `COLLOQUY_CASSETTES`, else `replay`. The values of
 * variables of the environment that hold keys are removed from recordings.
 *
 * @param test the argument of the test function. Jest has none: leave it out.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { test } from 'node:test'
 * import { openConversations } from 'colloquy/conversation'
 * import { cassette } from 'colloquy/engines/cassettes'
 *
 * // COLLOQUY_CASSETTES=record records the replies; afterwards the test needs no network.
 * test('a conversation names the capital', async (t) => {
 *   const conversations = openConversations({ engine: cassette(t) })
 *   const chat = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
 *   assert.match((await chat.send('What is the capital of France?')).text, /Paris/)
 * })
 * ```
 */
export function cassette(
  test: RunningTest | undefined,
  { path, mode = modeOf(process.env['COLLOQUY_CASSETTES']), secrets = [], ...options }: CassetteOptions = {},
): RecordingEngine {
  const file = cassetteFile(path ?? pathOf(test))
  return record({ cassette: file, mode, secrets: [...keysOfEnvironment(), ...secrets], ...options })
}

function modeOf(name: string | undefined): CassetteMode {
  return (name || 'replay') as CassetteMode
}

function keysOfEnvironment(): string[] {
  return Object.entries(process.env).flatMap(([name, value = '']) =>
    /(?:KEY|TOKEN|SECRET|PASSWORD)$/.test(name) && value.length >= 8 ? [value] : [],
  )
}

function pathOf(test: RunningTest | undefined): string {
  const { file, name } = identityOf(test)
  return join(dirname(file), 'cassettes', basename(file).replace(/\.[cm]?[jt]sx?$/, ''), `${slugOf(name)}.json`)
}

interface JestGlobal {
  expect?: { getState?: () => { currentTestName?: string; testPath?: string } }
}

/** The file and the full name of a test, as the three test runners tell them. */
function identityOf(test: RunningTest | undefined): { file: string; name: string } {
  const { fullName, filePath } = test ?? {}
  if (fullName !== undefined && filePath !== undefined) return { file: filePath, name: fullName }
  if (test?.task !== undefined) return vitestIdentity(test.task)
  const { currentTestName: name, testPath: file } = (globalThis as JestGlobal).expect?.getState?.() ?? {}
  if (name !== undefined && file !== undefined) return { file, name }
  throw new AnthropicError(
    'Cannot tell which test is running: pass the argument of the test function of node:test or vitest, or a path',
  )
}

interface VitestTask {
  name: string
  file: { filepath: string }
  suite?: VitestTask
}

function vitestIdentity(task: object): { file: string; name: string } {
  const names: string[] = []
  for (let at: VitestTask | undefined = task as VitestTask; at !== undefined; at = at.suite) names.unshift(at.name)
  return { file: (task as VitestTask).file.filepath, name: names.join(' ') }
}

/** A name of a file that every system takes. */
function slugOf(name: string): string {
  const words =
    name
      .normalize('NFKD')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  return words.join('-').slice(0, 100) || 'test'
}
