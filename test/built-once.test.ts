import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { builtOnce } from './built-once.ts'

const parent = mkdtempSync(join(tmpdir(), 'colloquy-built-'))
after(() => rmSync(parent, { recursive: true, force: true }))

test('builtOnce() builds once for all that wait, and again after a failure or a kill', async () => {
  let builds = 0
  const build = async (folder: string): Promise<void> => {
    if (++builds === 1) throw new Error('It failed')
    writeFileSync(join(folder, 'file'), '')
  }
  await assert.rejects(builtOnce(parent, build), /It failed/)
  const [built, ...others] = await Promise.all([1, 2, 3].map(() => builtOnce(parent, build)))
  assert.deepEqual([...others, builds], [built, built, 2])
  rmSync(built!, { recursive: true })
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(`${built}.lock`, String(pid))
  assert.equal(await builtOnce(parent, build), built)
  assert.equal(builds, 3)
})
