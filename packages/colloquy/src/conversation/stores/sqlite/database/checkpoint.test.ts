import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BegunTurn } from '../../store.ts'
import { sqliteStore } from '../store.ts'

/** The largest file that the process below can write. The log is moved into the database file when it has 4 MB. */
const mostBytes = 6_000 * 1024
const bytesEach = 200_000

const [, , limited] = process.argv
if (limited === undefined) checkpointTests()
else await fill(limited)

function checkpointTests(): void {
  test('a checkpoint that fails loses no reply, and the error of the full log names the file', async (t) => {
    if (process.platform === 'win32') return t.skip('NOT TESTED: Windows has no limit for the size of a file')
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
    const path = join(folder, 'colloquy.db')
    // `ulimit -f` counts blocks of 512 bytes.
    const shell = `ulimit -f ${mostBytes / 512} && exec "$@"`
    const options = process.execArgv.filter((option) => !option.startsWith('--test'))
    const child = [process.execPath, ...options, '--conditions=@colloquy/source', '--no-warnings', import.meta.filename]
    const { stdout, stderr } = spawnSync('sh', ['-c', shell, 'sh', ...child, path], { encoding: 'utf8' })
    assert.equal(stderr, '')
    const { promised, errors } = JSON.parse(stdout) as Filled
    const message = `Cannot save the reply in ${path}: the disk failed to read or write`
    assert.deepEqual(errors, [message, message])
    // The database file could not take more from the log, which then grew as far as it could.
    assert.equal(statSync(path).size, mostBytes)
    assert.ok(promised * bytesEach > mostBytes, `${promised} replies`)
    const store = sqliteStore(path)
    const stored = (await Array.fromAsync(store.messages('one'))).filter(({ state }) => state === 'committed')
    assert.deepEqual(
      stored.filter(({ role }) => role === 'assistant').map(({ json }) => json),
      Array.from({ length: promised }, (_, index) => replyOf(index)),
    )
    assert.equal((await store.open('one'))?.unfinished.length, errors.length)
    assert.deepEqual(await store.integrity?.(), [])
    await store.close()
    rmSync(folder, { recursive: true })
  })
}

interface Filled {
  promised: number
  errors: string[]
}

/** Stores replies until that fails for the second time. Writes how many are stored, and the errors. */
async function fill(path: string): Promise<void> {
  const store = sqliteStore(path)
  await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
  const filled: Filled = { promised: 0, errors: [] }
  for (let version = 1; filled.errors.length < 2; version++) {
    const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
    const { handle } = (await store.begin({ id: 'one', version, parent: 0, messages, at: 1 })) as BegunTurn
    const end = { id: 'one', handle, state: 'committed', received: null, reply: '{}', at: 1 } as const
    try {
      await store.finish({ ...end, json: replyOf(filled.promised) })
      filled.promised++
    } catch (error) {
      filled.errors.push((error as Error).message)
    }
  }
  await store.close()
  process.stdout.write(JSON.stringify(filled))
}

function replyOf(index: number): string {
  return JSON.stringify({ role: 'assistant', content: `${index}`.padEnd(bytesEach, 'x') })
}
